#pragma once

#include "agent/tunnels.hpp"
#include "base/result.hpp"
#include "control/control_service.hpp"
#include "policy/policy.hpp"
#include "wire/requests.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace keyturn {

class Clock;
class EventLog;

/// The tunnels that this host shares with others. Only keyturnd-fleet has them: most hosts have no
/// such tunnel, and do without the code and its memory.
class Fleets {
  public:
    virtual ~Fleets() = default;

    /// `policy` has a coordinator.
    [[nodiscard]] virtual std::unique_ptr<ManagedTunnel> make(
        TunnelPolicy policy, double splay_share, const Dependencies& world,
        std::function<void(const ManagedTunnel&)> changed) = 0;

    /// Carries out a call over the bus; `tunnel` may be null, or have no fleet.
    virtual void act(ManagedTunnel* tunnel, const FleetCall& call, FleetTold told) = 0;

    /// The fleet of a tunnel in lines for a person; as `ControlHandlers::fleet_status`.
    [[nodiscard]] virtual Result<std::string> describe(ManagedTunnel* tunnel) const = 0;
};

/// What `Fleets` are made of; all of it outlives them.
struct FleetsWorld {
    boost::asio::any_io_executor executor;
    Clock& clock;
    EventLog& log;
    std::string state_directory;
    std::string credentials_directory;
};

/// Empty in a program without fleets.
using MakeFleets = std::function<std::unique_ptr<Fleets>(const FleetsWorld& world)>;

/// The answer to a call for a tunnel that has no fleet.
[[nodiscard]] Error no_fleet();

/// Whether a tunnel of the policy has a `coordinator:`.
[[nodiscard]] bool needs_fleets(const Policy& policy);

/// The path of keyturnd-fleet, or why there is none, with the remedy.
[[nodiscard]] Result<std::string> find_keyturnd_fleet();

}  // namespace keyturn
