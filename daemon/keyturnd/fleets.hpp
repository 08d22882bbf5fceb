#pragma once

#include "agent/tunnels.hpp"
#include "base/result.hpp"
#include "control/control_service.hpp"
#include "fleet/memory.hpp"
#include "member/fleet_place.hpp"
#include "policy/policy.hpp"
#include "wire/requests.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace keyturn {

class Clock;

/// Makes the places of this host in fleets: the object that the policy names, keys, and what the
/// host remembers. Everything that needs a store or a fleet key is made here, and only for a tunnel
/// that has a `coordinator:`.
class Fleets {
  public:
    /// `clock` and `log` outlive this; `state_directory` and `credentials_directory` as for the
    /// rest of keyturnd.
    Fleets(boost::asio::any_io_executor executor, Clock& clock, EventLog& log,
           const std::string& state_directory, std::string credentials_directory, FleetTimes times);

    /// `policy` has a coordinator.
    [[nodiscard]] std::unique_ptr<ManagedTunnel> make(
        TunnelPolicy policy, double splay_share, const Dependencies& world,
        std::function<void(const ManagedTunnel&)> changed);

    /// Carries out a call over the bus; `tunnel` may be null, or have no fleet.
    void act(ManagedTunnel* tunnel, const FleetCall& call, FleetTold told);

    /// The fleet of a tunnel in lines for a person; as `ControlHandlers::fleet_status`.
    [[nodiscard]] static Result<std::string> describe(ManagedTunnel* tunnel);

  private:
    [[nodiscard]] Result<FleetParts> parts_of(const TunnelPolicy& policy);
    [[nodiscard]] Result<std::shared_ptr<SharedObject>> object_of(const TunnelPolicy& policy);

    boost::asio::any_io_executor executor_;
    Clock& clock_;
    EventLog& log_;
    std::unique_ptr<FleetMemory> memory_;
    std::string credentials_directory_;
    FleetTimes times_;
};

/// The times of the fleet's protocol. Tests shorten all of them with KEYTURN_FLEET_TIME_SCALE, 0.01
/// to 1.
[[nodiscard]] FleetTimes fleet_times();

}  // namespace keyturn
