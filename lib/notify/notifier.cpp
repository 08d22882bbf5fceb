#include "notify/notifier.hpp"

#include "base/visible_text.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace keyturn {
namespace {

std::uint64_t monotonic_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000U;
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
    /// The environment is left alone, so that every later call finds the socket too. A failure has
    /// no remedy here: systemd does what it does with a service that says nothing.
    static void send(const std::string& state) { static_cast<void>(::sd_notify(0, state.c_str())); }
};

}  // namespace

std::unique_ptr<Notifier> make_notifier() {
    return std::make_unique<SystemdNotifier>();
}

}  // namespace keyturn
