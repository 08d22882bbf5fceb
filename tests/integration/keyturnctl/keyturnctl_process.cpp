#include "integration/keyturnctl/keyturnctl_process.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace keyturn::testing {
namespace {

struct Ends {
    UniqueFd ours;
    UniqueFd theirs;
};

Ends make_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Ends make_terminal() {
    UniqueFd ours(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_EQ(::grantpt(ours.get()), 0);
    EXPECT_EQ(::unlockpt(ours.get()), 0);
    UniqueFd theirs(::open(::ptsname(ours.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    const winsize size{24, 80, 0, 0};
    EXPECT_EQ(::ioctl(theirs.get(), TIOCSWINSZ, &size), 0);
    return {std::move(ours), std::move(theirs)};
}

[[noreturn]] void become_keyturnctl(const std::string& bus_address,
                                    const std::vector<std::string>& arguments, int descriptor,
                                    Output output) {
    std::vector<char*> list{const_cast<char*>("keyturnctl")};
    for (const std::string& argument : arguments)
        list.push_back(const_cast<char*>(argument.c_str()));
    list.push_back(nullptr);
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_address.c_str(), 1);
    ::setenv("TERM", output == Output::dumb_terminal ? "dumb" : "xterm", 1);
    ::setenv("TZ", "UTC", 1);
    ::setenv("NO_COLOR", output == Output::terminal_without_colour ? "1" : "", 1);
    ::dup2(descriptor, STDOUT_FILENO);
    ::dup2(descriptor, STDERR_FILENO);
    ::execv(KEYTURNCTL, list.data());
    ::_exit(127);
}

}  // namespace

KeyturnctlProcess::KeyturnctlProcess(const std::string& bus_address,
                                     std::vector<std::string> arguments, Output output) {
    Ends ends = output == Output::pipe ? make_pipe() : make_terminal();
    process_ = ::fork();
    if (process_ == 0) become_keyturnctl(bus_address, arguments, ends.theirs.get(), output);
    end_ = std::move(ends.ours);
    EXPECT_EQ(::fcntl(end_.get(), F_SETFL, O_NONBLOCK), 0);
}

KeyturnctlProcess::~KeyturnctlProcess() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
}

bool KeyturnctlProcess::ended() {
    collect();
    int status = 0;
    if (process_ < 0 || ::waitpid(process_, &status, WNOHANG) != process_) return process_ < 0;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    process_ = -1;
    collect();
    return true;
}

bool KeyturnctlProcess::has_said(const std::string& text) {
    collect();
    return output_.find(text) != std::string::npos;
}

void KeyturnctlProcess::interrupt() {
    ::kill(process_, SIGINT);
}

void KeyturnctlProcess::resize(unsigned short columns) {
    const winsize size{24, columns, 0, 0};
    EXPECT_EQ(::ioctl(end_.get(), TIOCSWINSZ, &size), 0);
    ::kill(process_, SIGWINCH);
}

long KeyturnctlProcess::cpu_milliseconds() const {
    std::ifstream stat("/proc/" + std::to_string(process_) + "/stat");
    std::string word;
    long ticks = 0;
    for (int field = 1; field <= 15 && stat >> word; ++field) {
        if (field >= 14) ticks += std::stol(word);  // utime and stime
    }
    return ticks * 1000 / ::sysconf(_SC_CLK_TCK);
}

void KeyturnctlProcess::collect() {
    std::array<char, 4096> chunk{};
    ssize_t count = 0;
    while ((count = ::read(end_.get(), chunk.data(), chunk.size())) > 0) {
        output_.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace keyturn::testing
