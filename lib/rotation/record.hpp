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

/// Where a rotation stands. Each phase is durable before its first effect, and each effect may be
/// repeated: after a crash the daemon goes on from the phase on disk.
enum class Phase {
    preflight,  ///< Looking only. Nothing on disk, nothing touched.
    prepare,    ///< The secret is being made, kept and staged. The API knows nothing.
    commit,     ///< The PATCH may have been sent. Covers the delivery that follows it at once.
    revert,     ///< The old secret may have been sent again. Covers its delivery, too.
    roll,       ///< Every file holds the new token; units are restarted one by one.
    soak,       ///< A batch has verified; watching before the next one.
    finish,     ///< Every unit has verified; waiting for the API to list ours only.
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

/// How far a unit is.
enum class UnitStep {
    listed,      ///< Was not running at plan time: gets the file, is not started. Or stopped surge.
    waiting,     ///< Still on the token it was started with.
    restarting,  ///< Our restart is recorded; `invocation_before` tells whether it happened.
    verified,    ///< Runs with the new token, and that was proven.
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
    int batch = 0;     ///< From 1; 0 for `listed`.
    int baseline = 0;  ///< readyConnections at plan time.
    UnitStep step = UnitStep::waiting;
    std::string invocation_old;     ///< InvocationID that surely runs on the old token, or empty.
    std::string invocation_before;  ///< That of the process to be replaced: one that was there when
                                    ///< the new token was in its file already. Empty: not seen yet.
    std::string connector_before;
    Milliseconds stop_and_start{0};  ///< The unit's own stop and start timeouts, summed.
    std::string connector_after;     ///< Of the process that was proven; empty: it did not tell.
    std::string invocation_after;    ///< Of that process.
    std::string verified_by;         ///< "systemd, ready, api"
    bool dropped = false;            ///< After a compromise: cannot come back before its restart.
    bool surge = false;  ///< Not one of the policy's: helps out while those are restarted.

    bool operator==(const UnitProgress&) const = default;
};

/// Why a person has to decide.
enum class HoldReason {
    verification_failed,  ///< A unit did not come back with the new token, or failed afterwards.
    operator_took_over,   ///< Somebody stopped a unit, or replaced our job.
    too_few_replicas,     ///< A unit may not go down, and nothing has changed that for too long.
    not_allowed,          ///< systemd or polkit refused a restart.
    surge_not_stopped,    ///< The extra connector cannot be stopped.
    not_listed,           ///< Cloudflare does not list the connector of a restarted unit.
    not_locked_out,  ///< After a compromise Cloudflare lists others than ours, or not all of ours.
    secret_not_taken,  ///< Cloudflare accepted the secret and goes on showing the one before.
    foreign_rotation,  ///< Somebody else keeps changing the secret.
    retired_secret,    ///< Somebody put back a secret that was rotated away.
    // What an action of ours met; see `Fault`.
    denied,
    missing,
    conflict,
    invalid,
    cancelled,
};

template <>
inline constexpr Names<HoldReason, 15> names<HoldReason>{{
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
}};

/// For a fault that does not pass by itself.
[[nodiscard]] HoldReason hold_reason_for(Fault fault);

/// The reason is for programs; the text is for people: what happened, what is safe, what to do.
struct Hold {
    HoldReason reason = HoldReason::invalid;
    std::string text;
    std::string unit;  ///< Empty when no single unit is meant.
    WallTime since{};

    bool operator==(const Hold&) const = default;
};

/// Everything about an open rotation that has to survive a crash, except the two tokens themselves
/// (`TokenStore::pending`).
struct RotationRecord {
    std::string rotation_id;
    RotationRequest request;
    Phase phase = Phase::prepare;
    WallTime started{};
    std::optional<WallTime> committed;
    std::string old_fingerprint;
    std::string new_fingerprint;
    bool adopted = false;    ///< A stranger's token was taken over: no secret of ours is sent.
    std::string reverting;   ///< Why it goes back to the token from before; empty: it does not.
    bool evicted = false;    ///< A compromise: whoever was attached before has been dropped.
    std::string superseded;  ///< The rotation that a compromise has put an end to.
    int adoptions = 0;       ///< How often a stranger's token was taken over, since the last retry.
    bool proven = false;     ///< All is well; only wiping and concluding are left.
    std::string refusal;     ///< Why it is refused; only wiping and concluding are left.
    int batch = 0;           ///< The batch being restarted or soaked, from 1.
    std::vector<UnitProgress> units;             ///< In the order of the roll-out.
    std::vector<std::string> connectors_before;  ///< Ids that the API listed before the commit.
    std::optional<Hold> hold;

    [[nodiscard]] bool takes_over() const { return request.kind == RotationKind::takeover; }
    [[nodiscard]] bool compromised() const { return request.kind == RotationKind::compromise; }
    [[nodiscard]] bool ends_on_foreign_token() const { return takes_over() || adopted; }
    [[nodiscard]] bool reverts() const { return !reverting.empty(); }
    [[nodiscard]] int batch_count() const;
    [[nodiscard]] const UnitProgress* find(std::string_view unit) const;

    /// The place of a planned unit in `units`.
    [[nodiscard]] std::size_t index_of(std::string_view unit) const;

    /// And nothing but the policy's own units is left.
    [[nodiscard]] bool everyone_proven() const;

    /// The delivered token is another one now: no unit is on it.
    void begin_roll_out_anew();

    bool operator==(const RotationRecord&) const = default;
};

/// What a rotation begins with; `superseded` and `adoptions` as in the record. Pure.
[[nodiscard]] RotationRecord record_of(const RotationRequest& request, WallTime now,
                                       std::string superseded = {}, int adoptions = 0);

/// What a rotation has come to.
enum class Outcome { done, taken_over, reverted, refused };

template <>
inline constexpr Names<Outcome, 4> names<Outcome>{{
    {Outcome::done, "done"},
    {Outcome::taken_over, "taken over"},
    {Outcome::reverted, "reverted"},
    {Outcome::refused, "refused"},
}};

/// What is kept of a rotation that ended.
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

    bool operator==(const HistoryEntry&) const = default;
};

/// Which token a process of a unit was started with.
struct UnitStart {
    std::string unit;
    std::string invocation;   ///< Empty: it did not run when it was last seen.
    std::string fingerprint;  ///< Of the token that was delivered when it was first seen.
    bool certain = false;     ///< It has read that one; false: it may have been there before.

    bool operator==(const UnitStart&) const = default;
};

/// The durable state of one tunnel.
struct TunnelState {
    WallTime first_seen{};                   ///< Without a last rotation the age counts from here.
    std::optional<WallTime> last_done;       ///< End of the last rotation that was done.
    std::optional<RotationRecord> rotation;  ///< The open one.
    std::optional<WallTime> paused;          ///< Since when; an operator's word.
    /// Fingerprints that were rotated away from, oldest first. One that comes back is somebody
    /// putting an old secret back.
    std::vector<std::string> retired;
    /// The fingerprint of the API's token when it was last seen to be in the token file; empty: not
    /// yet.
    std::string delivered;
    std::vector<UnitStart> starts;

    bool operator==(const TunnelState&) const = default;
};

/// So many retired fingerprints are remembered.
inline constexpr std::size_t retired_max = 32;

/// Notes in `state` that a rotation from one token to another has ended.
void retire(TunnelState& state, const std::string& old_fingerprint,
            const std::string& new_fingerprint);

}  // namespace keyturn
