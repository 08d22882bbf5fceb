#pragma once

#include "policy/policy.hpp"
#include "policy/problem_list.hpp"
#include "policy/source_text.hpp"

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What has been read of a tunnel, with the places that a message may point at. Starts as a copy of
/// `defaults`, so a place can be in there.
struct TunnelDraft {
    TunnelPolicy policy;
    Place place;                                  ///< Of its name.
    std::map<std::string_view, Place> given;      ///< Path in the key table, to the value's place.
    std::set<std::string_view> broken;            ///< Paths whose value was refused.
    std::vector<Place> unit_places;               ///< One for each of `policy.units`.
    std::map<std::string, Place> address_places;  ///< Of each unit in its `metrics_addresses`.
    std::vector<Place> window_places;             ///< One for each window of its schedule.
    std::vector<Place> freeze_places;             ///< One for each freeze.
    std::vector<Place> host_places;               ///< One for each host of its coordinator.

    /// The latest place among the values, because that one was most likely just written; the place
    /// of the tunnel's name if all values are built in.
    [[nodiscard]] Place blame(std::initializer_list<std::string_view> paths) const;

    /// True if all these values are valid, so that comparing them makes sense.
    [[nodiscard]] bool comparable(std::initializer_list<std::string_view> paths) const;

    /// Forgets what has been given for a key of the table and for all keys in it.
    void forget(std::string_view path);
};

/// A duration of a tunnel, with its path in the key table.
struct DurationOfKey {
    std::string_view path;
    Milliseconds value;
};

/// Reports that `first` is shorter than `second`, if it is and both values are valid. The text
/// continues with `consequence`. Returns whether it did.
bool refuse_shorter(const TunnelDraft& tunnel, DurationOfKey first, DurationOfKey second,
                    std::string_view consequence, ProblemList& problems);

/// What was read of a policy, before its parts are checked against each other.
struct PolicyDraft {
    CloudflarePolicy cloudflare;
    /// Where `cloudflare.credentials` is missing; `Place{}` if there is no `cloudflare` at all.
    std::optional<Place> no_credentials;
    std::map<std::string, Place> credential_places;
    TunnelDraft defaults;
    std::vector<TunnelDraft> tunnels;
    std::vector<Remark> warnings;
};

}  // namespace keyturn
