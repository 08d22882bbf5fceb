#include "notify/notifier.hpp"

#include "base/unique_fd.hpp"
#include "base/visible_text.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace keyturn {
namespace {

std::uint64_t monotonic_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000U;
}

struct Address {
    sockaddr_un name{};
    socklen_t size = 0;
};

/// Reads "/run/systemd/notify", or "@NAME" in the abstract namespace. Other kinds of address are
/// for machines on which keyturnd does not run.
std::optional<Address> read_address(std::string_view text) {
    Address address;
    address.name.sun_family = AF_UNIX;
    const bool sized = text.size() >= 2 && text.size() < sizeof address.name.sun_path;
    if (!sized || (text.front() != '/' && text.front() != '@')) return std::nullopt;
    std::ranges::copy(text, address.name.sun_path);
    const bool has_path = text.front() == '/';
    if (!has_path) address.name.sun_path[0] = '\0';
    // A path ends with its NUL, a name in the abstract namespace with its last character.
    address.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (has_path ? 1 : 0));
    return address;
}

class SystemdNotifier final : public Notifier {
  public:
    // The protocol has one assignment on each line, so a line feed in a status would begin another
    // one.
    void ready(const std::string& status) override {
        send(fmt::format("READY=1\nSTATUS={}", visible_text(status, ' ')));
    }
    void status(const std::string& status) override {
        send(fmt::format("STATUS={}", visible_text(status, ' ')));
    }
    void reloading() override {
        // Type=notify-reload of systemd 253 requires the time; older versions ignore it.
        send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_microseconds()));
    }
    void stopping() override { send("STOPPING=1\nSTATUS=Stopping"); }
    void watchdog() override { send("WATCHDOG=1"); }

    std::optional<Milliseconds> watchdog_interval() const override {
        std::uint64_t microseconds = 0;
        // It also checks WATCHDOG_PID, because a watchdog that was set for the parent process does
        // not apply.
        if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
        const auto half = std::chrono::microseconds(microseconds / 2);
        return std::max(std::chrono::duration_cast<Milliseconds>(half), Milliseconds(1));
    }

  private:
    /// Ignores failures: systemd then treats keyturnd like any service that sends nothing.
    void send(const std::string& state) const {
        const char* const name = std::getenv("NOTIFY_SOCKET");
        if (name == nullptr) return;
        const std::optional<Address> address = read_address(name);
        if (!address) return;
        static_cast<void>(::sendto(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL,
                                   reinterpret_cast<const sockaddr*>(&address->name),
                                   address->size));
    }

    /// Opened at the start, because sd_notify() opens a socket each time, and the watchdog must be
    /// fed even if no file descriptor is left.
    UniqueFd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

std::unique_ptr<Notifier> make_notifier() {
    return std::make_unique<SystemdNotifier>();
}

}  // namespace keyturn
