#include "control/snapshot.hpp"

#include "bus/signal_listener.hpp"

namespace keyturn {

Snapshot::Snapshot(StatusOf status) : status_(std::move(status)) {}

TunnelStatus* Snapshot::find(sd_bus* bus, const std::string& tunnel) {
    // Without a message, we emit a signal. The caller has outdated the snapshot if it changed.
    sd_bus_message* message = sd_bus_get_current_message(bus);
    MessageKey key = message != nullptr ? key_of(message) : key_;
    if (!taken_ || key != key_ || tunnel != tunnel_) {
        taken_status_ = status_(tunnel);
        tunnel_ = tunnel;
        key_ = std::move(key);
        taken_ = true;
    }
    return taken_status_ ? &*taken_status_ : nullptr;
}

Snapshot::MessageKey Snapshot::key_of(sd_bus_message* message) {
    std::uint64_t serial = 0;
    sd_bus_message_get_cookie(message, &serial);
    return {std::string(sender_of(message)), serial};
}

}  // namespace keyturn
