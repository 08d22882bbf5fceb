#pragma once

#include <string>

namespace keyturn {

/// What a rotation is for.
enum class RotationKind {
    routine,     ///< A new secret, on schedule or because a person asks.
    takeover,    ///< Cloudflare holds a secret of somebody else's: the units follow it.
    compromise,  ///< The token is in wrong hands: a new secret at once, and nobody else stays.
};

/// A rotation as it is asked for, by an operator, the schedule or a look at Cloudflare.
struct RotationRequest {
    RotationKind kind = RotationKind::routine;
    std::string trigger;      ///< Why, in one line: "schedule", or the operator's reason.
    bool scheduled = false;   ///< The schedule asks, not a person: refused on a wrong clock.
    bool accept_gap = false;  ///< Traffic may stop for a moment; the policy may say so as well.
    bool evict_all = false;   ///< With `compromise`: drop every connector first, ours too.

    bool operator==(const RotationRequest&) const = default;
};

}  // namespace keyturn
