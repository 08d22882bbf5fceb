#include "control/snapshot.hpp"

#include "bus/signal_listener.hpp"

#include <algorithm>

namespace keyturn {

Snapshot::Snapshot(std::function<std::vector<TunnelStatus>()> status)
    : status_(std::move(status)) {}

const std::vector<TunnelStatus>& Snapshot::current(sd_bus* bus) {
    // Without a message, we emit a signal. The caller has outdated the snapshot if it changed.
    sd_bus_message* message = sd_bus_get_current_message(bus);
    MessageKey key = message != nullptr ? key_of(message) : key_;
    if (!taken_ || key != key_) {
        tunnels_ = status_();
        key_ = std::move(key);
        taken_ = true;
    }
    return tunnels_;
}

TunnelStatus* Snapshot::find(sd_bus* bus, const std::string& tunnel) {
    static_cast<void>(current(bus));
    const auto found = std::ranges::find(tunnels_, tunnel, &TunnelStatus::name);
    return found == tunnels_.end() ? nullptr : &*found;
}

Snapshot::MessageKey Snapshot::key_of(sd_bus_message* message) {
    std::uint64_t serial = 0;
    sd_bus_message_get_cookie(message, &serial);
    return {std::string(sender_of(message)), serial};
}

}  // namespace keyturn
