#pragma once

#include "agent/managed_tunnel.hpp"
#include "executor/rotation_executor.hpp"
#include "policy/policy.hpp"
#include "waves/wave_gate.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace keyturn {

class EventLog;
class WaveMemory;

/// This host's place among the hosts of a tunnel with `kind: api`.
class WavePlace : public ManagedTunnel {
  public:
    /// The hosts as this one sees them, in lines for a person.
    [[nodiscard]] virtual std::string describe() const = 0;
};

/// A `WaveTunnel`; or, if `hosts` does not name this host, or what it knows of the last change
/// cannot be read, a tunnel that says so and does nothing. `host_name` is the short host name.
[[nodiscard]] std::unique_ptr<WavePlace> take_place_in_waves(
    const boost::asio::any_io_executor& executor, TunnelPolicy policy, double splay_share,
    Dependencies world, EventLog& log, std::function<void(const ManagedTunnel&)> changed,
    WaveMemory& memory, WaveTimes times, const std::string& host_name);

}  // namespace keyturn
