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

// What a rotation asks of the world. Each action names what its answer holds as `Value`; the answer
// is that value or an `Error`. Reading this list is reading what a rotation can do to a host.

/// Does the tunnel exist?
struct InspectTunnel {
    struct Value {
        bool deleted = false;
        std::string status;
    };
};

/// Whose token does the API hold now? Tokens are compared by their decoded content.
struct ReadToken {
    enum class Holder {
        ours,      ///< The new token of this rotation.
        previous,  ///< The token from before this rotation.
        other,     ///< Neither: somebody else rotated. Also when no rotation is pending.
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
/// us restart them?
struct InspectUnits {
    /// Where polkit does not answer: true makes that the answer, an error that passes by itself;
    /// false writes it into `not_allowed`, for those who have more urgent things to do.
    bool must_know = true;

    struct Unit {
        std::string name;
        std::optional<std::string> problem;  ///< Why it cannot be rotated, and the remedy.
        Milliseconds stop_and_start{0};
        bool surge = false;  ///< keyturn-surge@TUNNEL.service, where there is one.
        /// Why it is not known that we may restart it (a surge: start and stop it), and the remedy.
        std::optional<std::string> not_allowed{};
        bool passed_over = false;  ///< A glob takes it in, and it is no connector: no part of this.
        std::vector<std::string> findings{};  ///< What cannot be judged from here, and how to.
    };
    using Value = std::vector<Unit>;
};

/// How are these units now?
struct SampleUnits {
    std::vector<std::string> names;

    /// "Could not look" is never "zero": from `unknown` follows waiting, no permission, no alarm.
    enum class Service { serving, idle, unknown };

    struct Sample {
        UnitState state;
        std::optional<Readiness> readiness;  ///< What the connector says of itself.
        std::string unasked;  ///< Without that, for a unit that is up: why it could not be asked.

        [[nodiscard]] Service service() const {
            if (!state.up()) return Service::idle;
            if (!readiness) return Service::unknown;
            const bool serves = readiness->serving && readiness->connections > 0;
            return serves ? Service::serving : Service::idle;
        }
        [[nodiscard]] bool serves() const { return service() == Service::serving; }
        [[nodiscard]] bool idle() const { return service() == Service::idle; }
        [[nodiscard]] bool unknown() const { return service() == Service::unknown; }

        /// Nothing where that is unknown.
        [[nodiscard]] std::optional<int> connections() const {
            if (unknown()) return std::nullopt;
            return serves() ? readiness->connections : 0;
        }

        /// "cannot ask /ready: REASON"; only where it is unknown.
        [[nodiscard]] std::string why_unknown() const;
    };
    using Value = std::vector<Sample>;  ///< In the order of `names`.
};

/// Can the token file be replaced, and what does it hold?
struct CheckFiles {
    struct Value {
        std::string fingerprint;  ///< Of the token in the file; empty: no file yet.
        bool other_tunnel = false;
    };
};

/// Make the new secret, keep both tokens durably, stage the new one. The same secret if one is
/// already kept for the token that the API holds.
struct PrepareSecret {
    std::string superseded;  ///< Not this rotation's, which a compromise has put an end to.

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
        bool token_confirmed = false;  ///< The answer carried our token.
    };
};

/// Rename the staged token over the token file; stages it anew if it is gone.
struct DeliverToken {
    struct Value {
        std::optional<std::chrono::microseconds> since_commit;  ///< PATCH answer to last rename.
    };
};

/// Exchange the two kept tokens, unless the new one is of this fingerprint already, and stage it.
struct TakeBackSecret {
    std::string fingerprint;
    using Value = void;
};

/// Forget the token from before, and keep the new one.
struct WipeOldSecret {
    using Value = void;
};

/// Tell Cloudflare to drop a connector and its connections.
struct EvictConnector {
    std::string id;  ///< Empty: every connector of the tunnel.
    using Value = void;
};

/// Put the old token back into the token file.
struct PutBackToken {
    using Value = void;
};

/// Somebody else rotated: take the API's token as the new one, keep and stage it. If the API holds
/// yet another one by now than `fingerprint`, nothing is done, and the answer names that one.
struct AdoptToken {
    std::string fingerprint;

    struct Value {
        std::string rotation_id;
        std::string fingerprint;  ///< Of the API's token.
    };
};

/// ResetFailedUnit, restart job, wait for the job. `busy`, with nothing done, after `not_after`:
/// what allowed the restart was seen too long ago.
struct RestartUnit {
    std::string unit;
    RestartVerb verb = RestartVerb::try_restart;
    Milliseconds deadline{0};  ///< Zero: the job is `queued` and not waited for.
    BootTime not_after{};
    using Value = RestartResult;
};

/// A stop job, and its end. `busy`, with nothing done, after `not_after`.
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

/// Wipe both kept tokens and what is staged.
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
                            PutBackToken, AdoptToken, TakeBackSecret, WipeOldSecret, EvictConnector,
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
