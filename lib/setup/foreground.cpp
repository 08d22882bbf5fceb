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
    if (bus_.connected()) return {};
    return Error{
        Fault::unreachable, "the system bus is unavailable; to see why: systemctl status dbus", {}};
}

}  // namespace keyturn
