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

/// "/run/systemd/notify", or "@NAME" in the abstract namespace. Other kinds are for machines that
/// run no service of ours.
std::optional<Address> read_address(std::string_view text) {
    Address address;
    address.name.sun_family = AF_UNIX;
    const bool sized = text.size() >= 2 && text.size() < sizeof address.name.sun_path;
    if (!sized || (text.front() != '/' && text.front() != '@')) return std::nullopt;
    std::ranges::copy(text, address.name.sun_path);
    const bool has_path = text.front() == '/';
    if (!has_path) address.name.sun_path[0] = '\0';
    // A path ends with its null, a name in the abstract namespace with its last character.
    address.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (has_path ? 1 : 0));
    return address;
}

class SystemdNotifier final : public Notifier {
  public:
    // The protocol has one assignment a line: a line feed in a status would begin another one.
    void ready(const std::string& status) override {
        send(fmt::format("READY=1\nSTATUS={}", visible_text(status, ' ')));
    }
    void status(const std::string& status) override {
        send(fmt::format("STATUS={}", visible_text(status, ' ')));
    }
    void reloading() override {
        // The time is what Type=notify-reload of systemd 253 asks for; older ones ignore it.
        send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_microseconds()));
    }
    void stopping() override { send("STOPPING=1\nSTATUS=Stopping"); }
    void watchdog() override { send("WATCHDOG=1"); }

    std::optional<Milliseconds> watchdog_interval() const override {
        std::uint64_t microseconds = 0;
        // Looks at WATCHDOG_PID too: a watchdog that was set for our parent is not ours.
        if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
        const auto half = std::chrono::microseconds(microseconds / 2);
        return std::max(std::chrono::duration_cast<Milliseconds>(half), Milliseconds(1));
    }

  private:
    /// A failure has no remedy here: systemd does what it does with a service that says nothing.
    void send(const std::string& state) const {
        const char* const name = std::getenv("NOTIFY_SOCKET");
        if (name == nullptr) return;
        const std::optional<Address> address = read_address(name);
        if (!address) return;
        static_cast<void>(::sendto(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL,
                                   reinterpret_cast<const sockaddr*>(&address->name),
                                   address->size));
    }

    /// Open from the start, since sd_notify() opens one each time: the watchdog has to be fed when
    /// no file descriptor is left.
    UniqueFd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

std::unique_ptr<Notifier> make_notifier() {
    return std::make_unique<SystemdNotifier>();
}

}  // namespace keyturn
