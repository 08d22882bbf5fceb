#include "setup/foreground.hpp"

namespace keyturn {

namespace {

constexpr std::chrono::seconds bus_patience{10};

}  // namespace

Foreground::Foreground(Bus::Opener bus) : bus_(context_, std::move(bus)) {}

Result<void> Foreground::connect() {
    if (!started_) bus_.start();
    started_ = true;
    run_until([this] { return bus_.connected(); }, bus_patience);
    had_bus_ = bus_.connected();
    if (had_bus_) return {};
    return Error{
        Fault::unreachable, "the system bus is unavailable; to see why: systemctl status dbus", {}};
}

void Foreground::look_at_bus() {
    if (!had_bus_) return;
    context_.restart();
    context_.poll();
    static_cast<void>(connect());  // If there is no bus any more, the step says so.
}

}  // namespace keyturn
