#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"
#include "fleet/transitions.hpp"
#include "time/moment.hpp"

#include <string>
#include <variant>
#include <vector>

namespace keyturn {

// What a follower asks of its host. This list is everything that the fleet can do to a host.

/// What does the object contain now?
struct LookAtObject {
    using Value = FleetDocument;
};

/// Change what this host has in the object: its entry or its turn. The value is the object after
/// that.
struct ChangeObject {
    FleetTransition transition;
    using Value = FleetDocument;
};

/// How are our units, and what does the token file hold?
struct SeeOwnHost {
    bool inspect = false;  ///< Also: could each be rotated? Otherwise as last time.

    struct Value {
        Fingerprint file;     ///< Empty if there is no token.
        std::string problem;  ///< Why the token file cannot be replaced; empty if it can.
        std::vector<MemberUnit> units;
    };
};

/// Unseal the token of the open rotation and stage it beside the token file.
struct StageToken {
    std::string rotation_id;
    using Value = void;
};

/// Put the token with this fingerprint into the token file: the staged one, one of the sealed ones
/// or Cloudflare's. Fails with `missing` if this host can get it nowhere.
struct ReplaceToken {
    Fingerprint token;
    using Value = void;
};

/// As `RestartUnit` of a rotation, for a unit of this host. Does nothing and fails with `busy`
/// after `not_after`.
struct RestartOwnUnit {
    std::string unit;
    std::string rotation_id;  ///< Of the turn; empty: without one, the unit has no connection.
    RestartVerb verb = RestartVerb::try_restart;
    Milliseconds deadline{0};
    BootTime not_after{};
    using Value = RestartResult;
};

/// Let time pass, or less if something happens that a follower should look at.
struct RestAWhile {
    BootTime until{};
    using Value = void;
};

using FollowerAction = std::variant<LookAtObject, ChangeObject, SeeOwnHost, StageToken,
                                    ReplaceToken, RestartOwnUnit, RestAWhile>;

using FollowerAnswer = AnswerOf<FollowerAction>::type;

}  // namespace keyturn
