#pragma once

#include "bus/bus.hpp"
#include "wire/tunnel_status.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// The status of the tunnels for one bus message. sd-bus asks for an object repeatedly while it
/// answers one message. The snapshot gives it the same answer each time and takes the status once.
class Snapshot {
  public:
    explicit Snapshot(std::function<std::vector<TunnelStatus>()> status);

    /// Returns the tunnels for the message that `bus` is processing.
    const std::vector<TunnelStatus>& current(sd_bus* bus);

    /// Returns one tunnel, or nullptr if none has that name. Valid until the next message.
    TunnelStatus* find(sd_bus* bus, const std::string& tunnel);

    /// Discards the status, because it has changed, possibly during the current message.
    void outdate() { taken_ = false; }

  private:
    using MessageKey = std::pair<std::string, std::uint64_t>;  ///< Sender and serial.
    static MessageKey key_of(sd_bus_message* message);

    std::function<std::vector<TunnelStatus>()> status_;
    std::vector<TunnelStatus> tunnels_;
    MessageKey key_;
    bool taken_ = false;
};

}  // namespace keyturn
