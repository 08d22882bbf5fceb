#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What a rotation is for.
enum class RotationKind {
    routine,     ///< A new secret, on schedule or because a person asks.
    takeover,    ///< Somebody else changed the secret at Cloudflare: the units follow it.
    compromise,  ///< Somebody else has the token: change it at once, keep only our connectors.
    adopt,       ///< No new secret: root has just moved units onto our token file; restart them.
    release,     ///< No new secret: root has just moved units off our token file; restart them.
};

/// A request for a rotation by an operator, the schedule or a check of Cloudflare.
struct RotationRequest {
    RotationKind kind = RotationKind::routine;
    std::string trigger{};    ///< Why, in one line: "schedule", or the operator's reason.
    bool scheduled = false;   ///< By the schedule, not a person: refused on a wrong clock.
    bool accept_gap = false;  ///< Traffic may stop for a moment; the policy can also allow that.
    bool evict_all = false;   ///< With `compromise`: drop every connector first, ours too.
    /// With `adopt` and `release`: the units that were moved; empty for all of the tunnel.
    std::vector<std::string> units{};

    /// True if units only move onto the token file or off it, and the token stays.
    [[nodiscard]] bool moves_units() const {
        return kind == RotationKind::adopt || kind == RotationKind::release;
    }

    /// True if this unit of the tunnel is one that was moved.
    [[nodiscard]] bool moves(std::string_view unit) const {
        const bool named = units.empty() || std::ranges::find(units, unit) != units.end();
        return moves_units() && named;
    }

    bool operator==(const RotationRequest&) const = default;
};

}  // namespace keyturn
