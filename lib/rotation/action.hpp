#pragma once

#include "base/result.hpp"
#include "model/connector.hpp"
#include "model/readiness.hpp"
#include "model/unit_state.hpp"
#include "rotation/record.hpp"
#include "time/moment.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace keyturn {

// What a rotation asks of the world. Each action defines as `Value` what its answer contains; the
// answer is that value or an `Error`. This list is everything that a rotation can do to a host.

/// Does the tunnel exist?
struct InspectTunnel {
    struct Value {
        bool deleted = false;
    };
};

/// Whose token does the API have now? Tokens are compared by their decoded content.
struct ReadToken {
    enum class Holder {
        ours,      ///< The new token of this rotation.
        previous,  ///< The token from before this rotation.
        other,     ///< Neither, because somebody else rotated. Also if no rotation is pending.
    };
    struct Value {
        Holder holder = Holder::other;
        std::string fingerprint;
        std::optional<Milliseconds> clock_ahead;  ///< Our wall clock minus the API's.
    };
};

/// Which connectors does the API see?
struct ListConnectors {
    using Value = std::vector<Connector>;
};

/// Which units does the policy mean, would they take their token from our file, and does polkit let
/// keyturnd restart them?
struct InspectUnits {
    /// What to do if polkit does not answer: true makes that the answer, a temporary error. False
    /// writes it into `not_allowed`, for callers that have more urgent things to do.
    bool must_know = true;

    struct Unit {
        std::string name;
        std::optional<std::string> problem;  ///< Why it cannot be rotated, and what to do.
        Milliseconds stop_and_start{0};
        bool surge = false;  ///< keyturn-surge@TUNNEL.service, if it exists.
        /// Why it is not certain that keyturnd may restart it (a surge: start and stop it), and
        /// what to do.
        std::optional<std::string> not_allowed{};
        bool passed_over = false;  ///< A glob matches it, but it is no connector: left out.
        std::vector<std::string> findings{};  ///< What cannot be checked from here, and how to.
        bool elsewhere = false;  ///< The problem is only that its token comes from another place.

        bool operator==(const Unit&) const = default;
    };
    using Value = std::vector<Unit>;
};

/// What state are these units in?
struct SampleUnits {
    std::vector<std::string> names;

    /// "Could not check" is never "zero": `unknown` leads to waiting, and to no permission or
    /// alarm.
    enum class Service { serving, idle, unknown };

    struct Sample {
        UnitState state;
        std::optional<Readiness> readiness;  ///< What the connector reports about itself.
        std::string unasked;  ///< If that is missing for a running unit: why it could not be asked.
        /// Its host may not have the delivered token yet. Then its processes may have read an
        /// earlier one, whenever they began.
        bool behind = false;

        [[nodiscard]] Service service() const {
            if (!state.up()) return Service::idle;
            if (!readiness) return Service::unknown;
            const bool serves = readiness->serving && readiness->connections > 0;
            return serves ? Service::serving : Service::idle;
        }
        [[nodiscard]] bool serves() const { return service() == Service::serving; }
        [[nodiscard]] bool idle() const { return service() == Service::idle; }
        [[nodiscard]] bool unknown() const { return service() == Service::unknown; }

        /// Nothing if the number is unknown.
        [[nodiscard]] std::optional<int> connections() const {
            if (unknown()) return std::nullopt;
            return serves() ? readiness->connections : 0;
        }

        /// "cannot ask /ready: REASON". Only for an unknown service.
        [[nodiscard]] std::string why_unknown() const;

        bool operator==(const Sample&) const = default;
    };
    using Value = std::vector<Sample>;  ///< In the order of `names`.
};

/// Can the token file be replaced, and what does it contain?
struct CheckFiles {
    struct Value {
        std::string fingerprint;  ///< Of the token in the file; empty if there is no file yet.
        bool other_tunnel = false;
    };
};

/// Make the new secret, durably keep both tokens, and stage the new one. Reuses the secret that is
/// already kept for the API's current token, if there is one.
struct PrepareSecret {
    /// The id of the rotation that a compromise ended; its secret is not reused.
    std::string superseded;

    struct Value {
        std::string rotation_id;
        std::string old_fingerprint;
        std::string new_fingerprint;
    };
};

/// Make the record durable.
struct SaveRecord {
    RotationRecord record;
    using Value = void;
};

/// PATCH the tunnel with the kept secret.
struct CommitSecret {
    struct Value {
        bool token_confirmed = false;  ///< The answer contained our token.
    };
};

/// Rename the staged token over the token file. Stage it again if it is gone.
struct DeliverToken {
    struct Value {
        std::optional<std::chrono::microseconds> since_commit;  ///< From PATCH answer to rename.
    };
};

/// Swap the two kept tokens, unless the new one already has this fingerprint, and stage it.
struct TakeBackSecret {
    std::string fingerprint;
    using Value = void;
};

/// Wipe the old token and keep the new one.
struct WipeOldSecret {
    using Value = void;
};

/// Tell Cloudflare to drop a connector and its connections.
struct EvictConnector {
    std::string id;  ///< Empty for every connector of the tunnel.
    using Value = void;
};

/// Put the old token back into the token file.
struct PutBackToken {
    using Value = void;
};

/// No secret of ours is sent: make the API's token the one of this rotation, keep it and stage it.
/// If the API by now has another token than `fingerprint`, do nothing and answer with that one.
struct KeepToken {
    std::string fingerprint;
    bool fresh_id = false;  ///< An earlier rotation with this token may have the id that follows
                            ///< from it, so the rotation gets another one.

    struct Value {
        std::string rotation_id;
        std::string fingerprint;  ///< Of the API's token.
    };
};

/// ResetFailedUnit, then a restart job, then wait for the job. After `not_after` it does nothing
/// and fails with `busy`, because the check that allowed the restart is too old.
struct RestartUnit {
    std::string unit;
    RestartVerb verb = RestartVerb::try_restart;
    Milliseconds deadline{0};  ///< Zero: do not wait; the result is `queued`.
    BootTime not_after{};
    using Value = RestartResult;
};

/// Start a stop job and wait for its end. After `not_after` it does nothing and fails with `busy`.
struct StopUnit {
    std::string unit;
    Milliseconds deadline{0};
    BootTime not_after{};
    using Value = JobResult;
};

/// Let time pass.
struct Wait {
    BootTime until{};
    using Value = void;
};

/// Wipe both kept tokens and everything staged.
struct ForgetSecrets {
    using Value = void;
};

/// Write the history, then the state without this rotation.
struct Conclude {
    HistoryEntry entry;
    using Value = void;
};

using Action = std::variant<InspectTunnel, ReadToken, ListConnectors, InspectUnits, SampleUnits,
                            CheckFiles, PrepareSecret, SaveRecord, CommitSecret, DeliverToken,
                            PutBackToken, KeepToken, TakeBackSecret, WipeOldSecret, EvictConnector,
                            RestartUnit, StopUnit, Wait, ForgetSecrets, Conclude>;

/// The answer to an action of type `Asked`.
template <class Asked>
struct Answered {
    Result<typename Asked::Value> result;
};

template <class>
struct AnswerOf;
template <class... Actions>
struct AnswerOf<std::variant<Actions...>> {
    using type = std::variant<Answered<Actions>...>;
};
using Answer = AnswerOf<Action>::type;

}  // namespace keyturn
