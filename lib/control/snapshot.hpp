#pragma once

#include "bus/bus.hpp"
#include "wire/tunnel_status.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace keyturn {

/// The status of one tunnel for one bus message. sd-bus asks for an object repeatedly while it
/// answers one message. The snapshot gives it the same answer each time and takes the status once.
class Snapshot {
  public:
    using StatusOf = std::function<std::optional<TunnelStatus>(const std::string& tunnel)>;

    explicit Snapshot(StatusOf status);

    /// Returns the tunnel for the message that `bus` is processing, or nullptr if none has that
    /// name. Valid until the next call.
    TunnelStatus* find(sd_bus* bus, const std::string& tunnel);

    /// Discards the status, because it has changed, possibly during the current message.
    void outdate() { taken_ = false; }

  private:
    using MessageKey = std::pair<std::string, std::uint64_t>;  ///< Sender and serial.
    static MessageKey key_of(sd_bus_message* message);

    StatusOf status_;
    std::string tunnel_;
    std::optional<TunnelStatus> taken_status_;
    MessageKey key_;
    bool taken_ = false;
};

}  // namespace keyturn
