#pragma once

#include <string>

namespace keyturn {

/// What a rotation is for.
enum class RotationKind {
    routine,     ///< A new secret, on schedule or because a person asks.
    takeover,    ///< Somebody else changed the secret at Cloudflare: the units follow it.
    compromise,  ///< Somebody else has the token: change it at once, keep only our connectors.
};

/// A request for a rotation by an operator, the schedule or a check of Cloudflare.
struct RotationRequest {
    RotationKind kind = RotationKind::routine;
    std::string trigger{};    ///< Why, in one line: "schedule", or the operator's reason.
    bool scheduled = false;   ///< By the schedule, not a person: refused on a wrong clock.
    bool accept_gap = false;  ///< Traffic may stop for a moment; the policy can also allow that.
    bool evict_all = false;   ///< With `compromise`: drop every connector first, ours too.

    bool operator==(const RotationRequest&) const = default;
};

}  // namespace keyturn
