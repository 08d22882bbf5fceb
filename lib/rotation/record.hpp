#pragma once

#include "base/error.hpp"
#include "base/names.hpp"
#include "model/rotation_request.hpp"
#include "time/moment.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

template <>
inline constexpr Names<RotationKind, 5> names<RotationKind>{{
    {RotationKind::routine, "routine"},
    {RotationKind::takeover, "takeover"},
    {RotationKind::compromise, "compromise"},
    {RotationKind::adopt, "adopt"},
    {RotationKind::release, "release"},
}};

/// How far a rotation is. Each phase is durable before its first effect, and each effect may be
/// repeated: after a crash, the daemon continues from the phase on disk.
enum class Phase {
    preflight,  ///< Only checking. Nothing is on disk, nothing has been changed.
    prepare,    ///< Making, keeping and staging the secret. The API does not know it.
    commit,     ///< The PATCH may have been sent. Includes the delivery that follows at once.
    revert,     ///< The old secret may have been sent again. Includes its delivery.
    roll,       ///< Every file contains the new token; units restart one by one.
    soak,       ///< A batch is verified and is watched before the next one.
    finish,     ///< Every unit is verified; waiting until the API lists only our connectors.
};

template <>
inline constexpr Names<Phase, 7> names<Phase>{{
    {Phase::preflight, "preflight"},
    {Phase::prepare, "prepare"},
    {Phase::commit, "commit"},
    {Phase::revert, "reverting"},
    {Phase::roll, "roll"},
    {Phase::soak, "soak"},
    {Phase::finish, "finish"},
}};

/// How far a unit is in a rotation.
enum class UnitStep {
    listed,      ///< Not running at plan time, so it gets the file only. Or a stopped surge unit.
    waiting,     ///< Still on the token with which it was started.
    restarting,  ///< Our restart is recorded; `invocation_before` shows whether it happened.
    verified,    ///< Proven to run with the new token.
};

template <>
inline constexpr Names<UnitStep, 4> names<UnitStep>{{
    {UnitStep::listed, "listed"},
    {UnitStep::waiting, "waiting"},
    {UnitStep::restarting, "restarting"},
    {UnitStep::verified, "verified"},
}};

struct UnitProgress {
    std::string name;
    int batch = 0;     ///< From 1; 0 for `listed` and for a unit that is not to restart.
    int baseline = 0;  ///< readyConnections at plan time.
    UnitStep step = UnitStep::waiting;
    std::string invocation_old;  ///< InvocationID that certainly runs on the old token, or empty.
    std::string invocation_before;  ///< The process to replace, which was there when the file
                                    ///< already contained the new token. Empty if not seen yet.
    std::string connector_before;
    Milliseconds stop_and_start{0};  ///< The sum of the unit's own stop and start timeouts.
    std::string connector_after;     ///< Of the verified process; empty if it did not report one.
    std::string invocation_after;    ///< Of the verified process.
    std::string verified_by;         ///< "systemd, ready, api"
    bool dropped = false;            ///< After a compromise: cannot reconnect before its restart.
    bool surge = false;              ///< Not a unit of the policy: helps out while those restart.

    bool operator==(const UnitProgress&) const = default;
};

/// Why a person has to decide.
enum class HoldReason {
    verification_failed,  ///< A unit did not come back with the new token, or failed afterwards.
    operator_took_over,   ///< Somebody stopped a unit, or replaced our job.
    too_few_replicas,     ///< A unit may not go down, and that has not changed for too long.
    not_allowed,          ///< systemd or polkit refused a restart.
    surge_not_stopped,    ///< The extra connector cannot be stopped.
    not_listed,           ///< Cloudflare does not list the connector of a restarted unit.
    not_locked_out,       ///< After a compromise, Cloudflare does not list exactly our connectors.
    secret_not_taken,     ///< Cloudflare accepted the secret but keeps showing the one before.
    foreign_rotation,     ///< Somebody else keeps changing the secret.
    retired_secret,       ///< Somebody restored a secret that was rotated away.
    // Errors of keyturnd's own actions; see `Fault`.
    denied,
    missing,
    conflict,
    invalid,
    cancelled,
    host_silent,  ///< In a fleet: another host has to act and says nothing.
};

template <>
inline constexpr Names<HoldReason, 16> names<HoldReason>{{
    {HoldReason::verification_failed, "verification_failed"},
    {HoldReason::operator_took_over, "operator_took_over"},
    {HoldReason::too_few_replicas, "too_few_replicas"},
    {HoldReason::not_allowed, "not_allowed"},
    {HoldReason::surge_not_stopped, "surge_not_stopped"},
    {HoldReason::not_listed, "not_listed"},
    {HoldReason::not_locked_out, "not_locked_out"},
    {HoldReason::secret_not_taken, "secret_not_taken"},
    {HoldReason::foreign_rotation, "foreign_rotation"},
    {HoldReason::retired_secret, "retired_secret"},
    {HoldReason::denied, "denied"},
    {HoldReason::missing, "missing"},
    {HoldReason::conflict, "conflict"},
    {HoldReason::invalid, "invalid"},
    {HoldReason::cancelled, "cancelled"},
    {HoldReason::host_silent, "host_silent"},
}};

/// The reason for a hold because of a fault that is not temporary.
[[nodiscard]] HoldReason hold_reason_for(Fault fault);

/// `reason` is for programs. `text` is for people: what happened, what is safe, what to do.
struct Hold {
    HoldReason reason = HoldReason::invalid;
    std::string text;
    std::string unit;  ///< Empty if no single unit is meant.
    WallTime since{};

    bool operator==(const Hold&) const = default;
};

/// Everything about an open rotation that must survive a crash, except the two tokens themselves
/// (`TokenStore::pending`).
struct RotationRecord {
    std::string rotation_id;
    RotationRequest request;
    Phase phase = Phase::prepare;
    WallTime started{};
    std::optional<WallTime> committed;
    std::string old_fingerprint;
    std::string new_fingerprint;
    bool foreign = false;             ///< Somebody else's token was taken over; ours is not sent.
    std::string reverting;            ///< Why it goes back to the old token; empty if it does not.
    bool evicted = false;             ///< A compromise: the earlier connectors have been dropped.
    std::string superseded;           ///< The rotation that a compromise has ended.
    int take_overs = 0;               ///< How often a token was taken over since the last retry.
    bool proven = false;              ///< All is well; only wiping and concluding are left.
    std::string refusal;              ///< Why it is refused; only wiping and concluding are left.
    int batch = 0;                    ///< The batch being restarted or soaked, from 1.
    std::vector<UnitProgress> units;  ///< In the order of the roll-out.
    std::vector<std::string> connectors_before;  ///< Ids that the API listed before the commit.
    std::optional<Hold> hold;

    [[nodiscard]] bool takes_over() const { return request.kind == RotationKind::takeover; }
    [[nodiscard]] bool compromised() const { return request.kind == RotationKind::compromise; }
    [[nodiscard]] bool ends_on_foreign_token() const { return takes_over() || foreign; }
    [[nodiscard]] bool reverts() const { return !reverting.empty(); }

    /// True if units only move onto the token file or off it, and nobody else changed the token.
    [[nodiscard]] bool keeps_token() const { return request.moves_units() && !foreign; }

    /// True if this rotation may restart the unit. False for a unit that was not moved.
    [[nodiscard]] bool may_restart(const UnitProgress& unit) const {
        return !keeps_token() || unit.surge || request.moves(unit.name);
    }

    [[nodiscard]] int batch_count() const;
    [[nodiscard]] const UnitProgress* find(std::string_view unit) const;

    /// The index of a planned unit in `units`.
    [[nodiscard]] std::size_t index_of(std::string_view unit) const;

    /// True if every running unit is verified and no surge unit is left.
    [[nodiscard]] bool everyone_proven() const;

    /// The delivered token has changed, so no unit runs on it.
    void begin_roll_out_anew();

    bool operator==(const RotationRecord&) const = default;
};

/// The record that a rotation begins with; `superseded` and `take_overs` as in the record. Pure.
[[nodiscard]] RotationRecord record_of(const RotationRequest& request, WallTime now,
                                       std::string superseded = {}, int take_overs = 0);

/// How a rotation ended.
enum class Outcome { done, taken_over, reverted, refused, adopted, released };

template <>
inline constexpr Names<Outcome, 6> names<Outcome>{{
    {Outcome::done, "done"},
    {Outcome::taken_over, "taken over"},
    {Outcome::reverted, "reverted"},
    {Outcome::refused, "refused"},
    {Outcome::adopted, "adopted"},
    {Outcome::released, "released"},
}};

/// What is kept of a rotation after its end.
struct HistoryEntry {
    std::string rotation_id;
    std::string trigger;
    Outcome outcome = Outcome::done;
    std::string text;  ///< The closing sentence.
    WallTime started{};
    WallTime ended{};
    std::string old_fingerprint;
    std::string new_fingerprint;
    std::vector<UnitProgress> units;

    /// False if it was refused, or if units only moved onto the token file or off it.
    [[nodiscard]] bool changed_token() const { return old_fingerprint != new_fingerprint; }

    bool operator==(const HistoryEntry&) const = default;
};

/// Which token a process of a unit was started with.
struct UnitStart {
    std::string unit;
    std::string invocation;   ///< Empty if it did not run when it was last seen.
    std::string fingerprint;  ///< Of the token that was delivered when it was first seen.
    bool certain = false;     ///< It has read that token. False: it may have started earlier.

    bool operator==(const UnitStart&) const = default;
};

/// The durable state of one tunnel.
struct TunnelState {
    WallTime first_seen{};              ///< The age counts from here before the first rotation.
    std::optional<WallTime> last_done;  ///< The end of the last successful rotation.
    std::optional<RotationRecord> rotation;  ///< The open one.
    std::optional<WallTime> paused;          ///< Since when an operator has paused it.
    /// Fingerprints that were rotated away, oldest first. If one comes back, somebody has restored
    /// an old secret.
    std::vector<std::string> retired;
    /// The fingerprint of the API's token when it was last seen in the token file; empty before
    /// that.
    std::string delivered;
    std::vector<UnitStart> starts;

    bool operator==(const TunnelState&) const = default;
};

/// How many retired fingerprints are remembered.
inline constexpr std::size_t retired_max = 32;

/// Notes in `state` that a rotation from one token to another has ended.
void retire(TunnelState& state, const std::string& old_fingerprint,
            const std::string& new_fingerprint);

}  // namespace keyturn
