#include "integration/peers/dbus_daemon.hpp"

#include "base/unique_fd.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyturn::testing {
namespace {

void write_configuration(const std::string& directory) {
    std::ofstream(directory + "/bus.conf")
        << "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        << " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        << "<busconfig><listen>unix:path=" << directory << "/socket</listen>\n"
        << "<auth>EXTERNAL</auth><policy context=\"default\">\n"
        << "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\n"
        << "<allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>\n";
}

std::string log_text(const std::string& directory) {
    std::ifstream log(directory + "/log");
    return {std::istreambuf_iterator<char>(log), {}};
}

}  // namespace

DbusDaemon::DbusDaemon() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-bus-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    ::chmod(directory_.c_str(), 0755);
    write_configuration(directory_);
    start();
}

DbusDaemon::~DbusDaemon() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

/// Returns when the daemon listens: it writes its address then.
void DbusDaemon::start() {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const UniqueFd ready(ends[0]);
    const std::string configuration = "--config-file=" + directory_ + "/bus.conf";
    process_ = ::fork();
    if (process_ == 0) {
        ::close(ends[0]);
        // It complains about limits that it does not need; what matters is whether it gets ready.
        const int log = ::open((directory_ + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
        ::dup2(log, STDERR_FILENO);
        const std::string address = "--print-address=" + std::to_string(ends[1]);
        ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", configuration.c_str(),
                 address.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    char byte = 0;
    ASSERT_EQ(::read(ready.get(), &byte, 1), 1)
        << "dbus-daemon did not start: " << log_text(directory_);
}

void DbusDaemon::stop() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
    ::unlink((directory_ + "/socket").c_str());
}

Bus::Opener DbusDaemon::opener(uid_t user) const {
    return [address = address(), user]() -> Result<BusHandle> {
        sd_bus* raw = nullptr;
        sd_bus_new(&raw);
        BusHandle bus(raw);
        sd_bus_set_address(raw, address.c_str());
        sd_bus_set_bus_client(raw, 1);
        // The kernel notes who connects at the moment of connect().
        if (::seteuid(user) != 0) return errno_error(errno, "this test needs root");
        const int status = sd_bus_start(raw);
        if (::seteuid(0) != 0) return errno_error(errno, "cannot become root again");
        if (status < 0) return Error{Fault::unreachable, "no bus", {}};
        return bus;
    };
}

}  // namespace keyturn::testing
