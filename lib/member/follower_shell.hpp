#pragma once

#include "asio/task.hpp"
#include "asio/wakeup.hpp"
#include "executor/rotation_executor.hpp"
#include "fleet/fleet.hpp"
#include "fleet/follower_action.hpp"
#include "journal/event_log.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// Performs what a follower asks for on this host, and decides nothing. Tells the journal what it
/// has done to the token file and the units.
class FollowerShell {
  public:
    /// `world` has the files and units of this host. `credential`: Cloudflare can be asked for the
    /// token. All arguments must outlive this.
    FollowerShell(const boost::asio::any_io_executor& executor, const TunnelPolicy& policy,
                  Dependencies world, EventLog& log, Fleet& fleet, bool credential);

    Task<FollowerAnswer> perform(const FollowerAction& action);

    /// Ends the rest of the follower, because something has happened on this host.
    void wake() { wakeup_.wake(); }

  private:
    friend class ByKind;

    Task<Result<FleetDocument>> act(const LookAtObject& action);
    Task<Result<FleetDocument>> act(const ChangeObject& action);
    Task<Result<SeeOwnHost::Value>> act(const SeeOwnHost& action);
    Task<Result<void>> act(const StageToken& action);
    Task<Result<void>> act(const ReplaceToken& action);
    Task<Result<RestartResult>> act(const RestartOwnUnit& action);
    Task<Result<void>> act(const RestAWhile& action);

    Task<Result<void>> replace(Fingerprint token);
    [[nodiscard]] Result<bool> replace_from_sealed(const Fingerprint& token);
    [[nodiscard]] Result<void> write(const std::string& id, const Secret& text);
    void tell(Event event, std::string message);

    const TunnelPolicy& policy_;
    Dependencies world_;
    EventLog& log_;
    Fleet& fleet_;
    bool credential_;
    TunnelState state_;  ///< Of `local_`; not used.
    RotationExecutor local_{policy_, state_, world_};
    Wakeup wakeup_;
    std::vector<InspectUnits::Unit> setups_;  ///< As of the last inspection.
};

}  // namespace keyturn
