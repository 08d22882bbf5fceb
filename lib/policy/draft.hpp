#pragma once

#include "policy/policy.hpp"
#include "policy/source_text.hpp"

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// A tunnel as far as its lines say it, with the places that a message may have to point at.
/// Starts as a copy of `defaults`, so that a place can be there.
struct TunnelDraft {
    TunnelPolicy policy;
    Place place;                              ///< Of its name.
    std::map<std::string_view, Place> given;  ///< Path in the key table, to the value's place.
    std::set<std::string_view> broken;        ///< Paths whose value was refused.
    std::vector<Place> unit_places;           ///< One for each of `policy.units`.
    std::vector<Place> window_places;         ///< One for each window of its schedule.
    std::vector<Place> freeze_places;         ///< One for each freeze.

    /// The later of the values' places, because that is most likely the one just written; the
    /// tunnel's name where all are built in.
    [[nodiscard]] Place blame(std::initializer_list<std::string_view> paths) const;

    /// True when the values are sound, so that holding them against each other means something.
    [[nodiscard]] bool comparable(std::initializer_list<std::string_view> paths) const;
};

/// What was read of a policy, before its parts are held against each other.
struct PolicyDraft {
    CloudflarePolicy cloudflare;
    std::map<std::string, Place> credential_places;
    TunnelDraft defaults;
    std::vector<TunnelDraft> tunnels;
    std::vector<Remark> warnings;
};

}  // namespace keyturn
