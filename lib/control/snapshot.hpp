#pragma once

#include "bus/bus.hpp"
#include "wire/tunnel_status.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// The tunnels as one message of the bus sees them. sd-bus asks for an object again and again while
/// it answers one message; all of these get the same answer, and the status is taken once.
class Snapshot {
  public:
    explicit Snapshot(std::function<std::vector<TunnelStatus>()> status);

    /// The tunnels as of the message that `bus` is processing now.
    const std::vector<TunnelStatus>& current(sd_bus* bus);

    /// One of them; nullptr when there is none of that name. Valid until the next message.
    TunnelStatus* find(sd_bus* bus, const std::string& tunnel);

    /// The status has changed since, perhaps during this very message.
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
