#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "fleet/fleet.hpp"
#include "fleet/follower.hpp"
#include "policy/policy.hpp"

#include <cstdint>
#include <string>

namespace keyturn {

class Random;
class TunnelApi;

/// What a person does to a fleet on one of its hosts. Each function returns a sentence that says
/// what happened, or an error that says what to do. Nothing is changed by a call that fails, unless
/// the text says so.
class FleetAdmin {
  public:
    /// `self.host` is the name under which the host joins. All of `world` must outlive this.
    FleetAdmin(const TunnelPolicy& policy, FleetWorld world, FleetKeys keys, FleetSelf self);

    /// Creates the object, with this host as the only member, after a proof that the store obeys
    /// conditions. `token` is the token that Cloudflare shows. Fails with `conflict` if there is an
    /// object.
    Task<Result<std::string>> init(Fingerprint token);

    /// Makes this host a member of the fleet that the object describes. Fails with `conflict` if
    /// another host has its name.
    Task<Result<std::string>> join();

    /// As `join`, but takes the place of the host with this name: for a host that came back with an
    /// old disk or has a clone. The other one finds itself replaced.
    Task<Result<std::string>> rejoin();

    /// Removes a host that is gone for ever.
    Task<Result<std::string>> decommission(std::string host);

    /// Accepts an object that somebody has put back to this rev, or that has gone on from there.
    Task<Result<std::string>> accept(std::uint64_t rev);

  private:
    Task<Result<void>> prove_store();
    Task<Result<FleetDocument>> read();
    Task<Result<std::string>> enter(bool again);
    [[nodiscard]] Result<FleetMemories> fresh_memories(std::string fleet);
    /// Takes the keys with it.
    [[nodiscard]] Fleet fleet_of(FleetMemories memories);
    [[nodiscard]] FleetMember entry_of(const FleetMemories& memories) const;

    const TunnelPolicy& policy_;
    FleetWorld world_;
    FleetKeys keys_;
    FleetSelf self_;
};

}  // namespace keyturn
