#include "prompt.hpp"

#include "base/unique_fd.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace keyturn {

namespace {

constexpr std::size_t answer_max = 4096;

/// Turns the terminal's echo off, and back on at the end.
class WithoutEcho {
  public:
    explicit WithoutEcho(int terminal) : terminal_(terminal) {
        if (::tcgetattr(terminal_, &before_) != 0) return;
        termios without = before_;
        without.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        without.c_lflag |= static_cast<tcflag_t>(ECHONL);
        changed_ = ::tcsetattr(terminal_, TCSAFLUSH, &without) == 0;
    }
    WithoutEcho(const WithoutEcho&) = delete;
    WithoutEcho& operator=(const WithoutEcho&) = delete;
    ~WithoutEcho() {
        if (changed_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    }

    [[nodiscard]] bool changed() const { return changed_; }

  private:
    int terminal_;
    termios before_{};
    bool changed_ = false;
};

/// One line, without its end. Nothing at the end of the input: the terminal is gone, or Ctrl-D.
std::optional<Secret> read_line(int terminal) {
    Secret line(answer_max);
    std::size_t size = 0;
    while (size < line.size()) {
        const ssize_t count = ::read(terminal, line.data() + size, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return std::nullopt;
        if (line.data()[size] == '\n') break;
        ++size;
    }
    line.truncate(size);
    return line;
}

}  // namespace

bool has_terminal() {
    return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

bool confirmed(const std::string& question) {
    if (!has_terminal()) return false;
    fmt::print("{} [Y/n] ", question);
    std::fflush(stdout);
    const auto answer = read_line(STDIN_FILENO);
    if (!answer) return false;
    return answer->empty() || answer->reveal() == "y" || answer->reveal() == "Y" ||
           answer->reveal() == "yes";
}

Result<Secret> ask_secret(const std::string& question) {
    if (!has_terminal()) return Error{Fault::denied, "there is no terminal to ask on", {}};
    // Silent before the question is there: a program may answer at once.
    const WithoutEcho silent(STDIN_FILENO);
    if (!silent.changed())
        return Error{Fault::denied, "the terminal cannot hide what is typed", {}};
    fmt::print("{}", question);
    std::fflush(stdout);
    auto answer = read_line(STDIN_FILENO);
    if (!answer) return Error{Fault::cancelled, "no answer", {}};
    return std::move(*answer);
}

}  // namespace keyturn
