#include "setup/command.hpp"

#include "base/unique_fd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace keyturn {

namespace {

using Deadline = std::chrono::steady_clock::time_point;

constexpr std::size_t errors_max = 4096;
constexpr int signal_exit_code = 128;

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "cannot make a pipe");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// A program that runs, with the ends of its pipes.
class Child {
  public:
    static Result<Child> start(const std::vector<std::string>& words) {
        auto input = make_pipe();
        auto output = make_pipe();
        auto errors = make_pipe();
        if (!input || !output || !errors)
            return Error{Fault::storage, "cannot make a pipe: too many open files", {}};
        std::vector<char*> arguments;
        for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, input->read.get(), STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, output->write.get(), STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, errors->write.get(), STDERR_FILENO);
        Child child;
        const int failed = ::posix_spawnp(&child.process_, arguments[0], &actions, nullptr,
                                          arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) return errno_error(failed, "cannot run " + words[0]);
        child.input_ = std::move(input->write);
        child.output_ = std::move(output->read);
        child.errors_ = std::move(errors->read);
        ::fcntl(child.input_.get(), F_SETFL, O_NONBLOCK);
        return child;
    }

    Child(Child&& other) noexcept
        : process_(std::exchange(other.process_, 0)),
          input_(std::move(other.input_)),
          output_(std::move(other.output_)),
          errors_(std::move(other.errors_)) {}
    Child& operator=(Child&&) = delete;
    ~Child() {
        if (process_ == 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }

    /// False at the deadline.
    bool talk(std::string_view input, CommandResult& result, Deadline deadline,
              std::size_t output_max) {
        while (output_.valid() || errors_.valid()) {
            if (input.empty()) input_ = UniqueFd();
            std::array<pollfd, 3> waits{{{input_.get(), POLLOUT, 0},
                                         {output_.get(), POLLIN, 0},
                                         {errors_.get(), POLLIN, 0}}};
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
            if (::poll(waits.data(), waits.size(), static_cast<int>(left.count())) < 0) continue;
            if (waits[0].revents != 0) feed(input);
            if (waits[1].revents != 0)
                take(output_, [&](std::string_view bytes) {
                    const std::size_t room = output_max - result.output.size();
                    result.output.append(bytes.substr(0, room));
                });
            if (waits[2].revents != 0)
                take(errors_, [&](std::string_view bytes) { keep_errors(result, bytes); });
        }
        return true;
    }

    int wait_for_end() {
        int status = 0;
        while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : signal_exit_code + WTERMSIG(status);
    }

  private:
    Child() = default;

    void feed(std::string_view& input) {
        const ssize_t count = ::write(input_.get(), input.data(), input.size());
        if (count >= 0) {
            input.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EAGAIN && errno != EINTR) {
            input = {};  // It reads no further.
        }
    }

    template <class Keep>
    static void take(UniqueFd& from, const Keep& keep) {
        std::array<char, errors_max> buffer{};
        const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) return;
        if (count <= 0) {
            from = UniqueFd();
            return;
        }
        keep(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
        wipe(buffer.data(), buffer.size());
    }

    static void keep_errors(CommandResult& result, std::string_view bytes) {
        result.errors += bytes.substr(0, errors_max - std::min(errors_max, result.errors.size()));
    }

    pid_t process_ = 0;
    UniqueFd input_;
    UniqueFd output_;
    UniqueFd errors_;
};

}  // namespace

Result<CommandResult> run_command(const std::vector<std::string>& words, const Secret& input,
                                  std::chrono::seconds deadline, std::size_t output_max) {
    auto child = Child::start(words);
    if (!child) return child.error();
    CommandResult result;
    const auto end = std::chrono::steady_clock::now() + deadline;
    if (!child->talk(input.reveal(), result, end, output_max)) {
        return Error{
            Fault::unreachable,
            fmt::format("`{}` did not end within {} s", fmt::join(words, " "), deadline.count()),
            {}};
    }
    result.exit_code = child->wait_for_end();
    return result;
}

Result<Secret> run_or_fail(const std::vector<std::string>& words, const Secret& input) {
    auto result = run_command(words, input);
    if (!result) return result.error();
    if (result->exit_code == 0) return std::move(result->output);
    std::string_view errors = result->errors;
    while (errors.ends_with('\n')) errors.remove_suffix(1);
    return Error{Fault::invalid,
                 fmt::format("`{}` failed (exit code {}){}{}", fmt::join(words, " "),
                             result->exit_code, errors.empty() ? "" : ": ", errors),
                 {}};
}

}  // namespace keyturn
