#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

// What hosts do to the object, one function for each act. All are pure. `Fleet::change`
// applies one to what the object contains at that moment, and again after each conflict. So each
// checks by itself whether it still may happen, and recognizes its own effect: applied twice, it
// changes nothing the second time.
//
// Faults: `deposed` if another host leads by now, `conflict` if it may not happen (any more).

using FleetTransition = std::function<Result<void>(FleetDocument&)>;

/// Who leads, as the lead knows it.
struct Leadership {
    std::string host;
    std::uint64_t epoch = 0;

    bool operator==(const Leadership&) const = default;
};

// --- Of any host that may lead -------------------------------------------------------------------

/// Asks every member how it is now. `number`: the question, which is one more than the newest.
[[nodiscard]] Result<void> ask_members(FleetDocument& document, std::uint64_t number);

/// Begins the rotation of `state` and leads it. Fails with `deposed` if a rotation is open, or
/// somebody has paused the tunnel meanwhile. A compromise ends an open one, whoever leads it; turns
/// that were taken stay.
[[nodiscard]] Result<void> begin_rotation(FleetDocument& document, const std::string& host,
                                          const TunnelState& state, const RolloutPolicy& rules);

/// What a host knows of a lead that seems to be gone.
struct SilentLead {
    std::uint64_t epoch = 0;
    std::optional<FleetLead> lead;
};
/// Leads an open rotation from here on. Fails with `conflict` if the lead has moved meanwhile.
[[nodiscard]] Result<void> take_over(FleetDocument& document, const std::string& host,
                                     const SilentLead& silent);

/// Writes the tunnel's state while no rotation is open. Fails with `deposed` if it is not what it
/// was before: then another host has changed it.
[[nodiscard]] Result<void> save_idle_state(FleetDocument& document, const TunnelState& before,
                                           const TunnelState& state);

/// What the token files have to hold, while no rotation is open: the token that Cloudflare shows.
[[nodiscard]] Result<void> set_idle_delivery(FleetDocument& document, const Fingerprint& token);

/// The present token, sealed for members that cannot ask Cloudflare for it, while no rotation is
/// open. Nothing: every member has it.
[[nodiscard]] Result<void> hand_out(FleetDocument& document,
                                    const std::optional<SealedTokens>& sealed);

// --- Of the lead ---------------------------------------------------------------------------------

/// A hold withdraws turns that nobody has taken. A turn that was taken stays. Fails with `busy` if
/// the record is for the commit, and a host lacks the new token.
[[nodiscard]] Result<void> save_record(FleetDocument& document, const Leadership& lead,
                                       const TunnelState& state);

/// Nothing: no tokens are kept any more.
[[nodiscard]] Result<void> keep_sealed(FleetDocument& document, const Leadership& lead,
                                       const std::optional<SealedTokens>& sealed);

/// Every member has this token on its disk from now on, in the file that its units load.
[[nodiscard]] Result<void> deliver(FleetDocument& document, const Leadership& lead,
                                   const Fingerprint& token);

/// What the lead knew when it decided that a unit may go down.
struct TurnWish {
    std::string unit;  ///< HOST/UNIT
    RestartVerb verb = RestartVerb::try_restart;
    Milliseconds deadline{0};
    bool hurried = false;
    /// The units of every member as the decision saw them.
    std::vector<std::pair<std::string, std::vector<MemberUnit>>> seen;
};
/// Lets a unit take its turn. A turn of the same unit that is still open counts as this one. A turn
/// of another unit that nobody has taken is withdrawn. Fails with `busy` if a unit has changed
/// since the decision, if its host does not have the token yet, or if another unit has taken its
/// turn.
[[nodiscard]] Result<void> grant_turn(FleetDocument& document, const Leadership& lead,
                                      const TurnWish& wish);

/// Takes back a turn that nobody has taken. Fails with `conflict` if somebody has.
[[nodiscard]] Result<void> withdraw_turn(FleetDocument& document, const Leadership& lead,
                                         std::uint64_t number);

/// Removes a turn that has ended, once its result was read.
[[nodiscard]] Result<void> clear_turn(FleetDocument& document, const Leadership& lead,
                                      std::uint64_t number);

[[nodiscard]] Result<void> beat(FleetDocument& document, const Leadership& lead);

/// Ends the lead but not the rotation.
[[nodiscard]] Result<void> abdicate(FleetDocument& document, const Leadership& lead);

/// Ends the rotation and the lead.
[[nodiscard]] Result<void> conclude(FleetDocument& document, const Leadership& lead,
                                    const TunnelState& state, const HistoryEntry& entry);

// --- Of a member, about itself -------------------------------------------------------------------

/// Replaces what the host says about itself. Fails with `missing` if it is not a member.
[[nodiscard]] Result<void> report(FleetDocument& document, const std::string& host,
                                  const FleetMember& member);

/// Takes a turn. `invocation`: the process that the restart replaces. `file`: what the token file
/// holds. Fails with `conflict` if the turn was withdrawn, the rotation is held or another, or the
/// record does not say that this unit restarts.
[[nodiscard]] Result<void> take_turn(FleetDocument& document, const std::string& host,
                                     std::uint64_t number, const std::string& invocation,
                                     const Fingerprint& file);

/// How systemd answered. A turn that was not taken can only end with `busy`: its host declines it.
[[nodiscard]] Result<void> end_turn(FleetDocument& document, const std::string& host,
                                    std::uint64_t number, const Result<RestartResult>& outcome);

}  // namespace keyturn
