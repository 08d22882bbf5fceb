#include "policy/check_coordinator.hpp"

#include "policy/key_paths.hpp"
#include "policy/key_table.hpp"
#include "policy/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace keyturn {
namespace {

using Paths = std::vector<std::string_view>;
using Kind = CoordinatorKind;

constexpr std::array kinds_of_fleets{Kind::bucket, Kind::etcd, Kind::file, Kind::api};

Paths needed_by(Kind kind) {
    switch (kind) {
        case Kind::bucket:
            return {endpoint_path, bucket_path, store_credential_path, fleet_key_path};
        case Kind::etcd: return {endpoints_path, fleet_key_path};
        case Kind::file: return {shared_path_path, fleet_key_path};
        case Kind::api: return {hosts_path};
        case Kind::local: break;
    }
    return {};
}

Paths also_taken_by(Kind kind) {
    switch (kind) {
        case Kind::bucket: return {region_path, prefix_path, store_ca_file_path, lead_path};
        case Kind::etcd:
            return {cert_file_path, key_file_path,      user_path, password_path,
                    prefix_path,    store_ca_file_path, lead_path};
        case Kind::file: return {lead_path};
        case Kind::api: return {own_host_path};
        case Kind::local: break;
    }
    return {};
}

bool takes(Kind kind, std::string_view path) {
    return std::ranges::count(needed_by(kind), path) +
               std::ranges::count(also_taken_by(kind), path) >
           0;
}

std::string in_words(Kind kind) {
    return fmt::format("`kind: {}`", name_of(kind));
}

/// "`kind: bucket`, `kind: etcd`": those that take a key.
std::string kinds_taking(std::string_view path) {
    std::vector<std::string> kinds;
    for (const Kind kind : kinds_of_fleets) {
        if (takes(kind, path)) kinds.push_back(in_words(kind));
    }
    return fmt::format("{}", fmt::join(kinds, ", "));
}

const KeySpec& spec_at(std::string_view path) {
    return *std::ranges::find(key_table(), path, &KeySpec::path);
}

bool has(const TunnelDraft& tunnel, std::string_view path) {
    return tunnel.given.contains(path) || tunnel.broken.contains(path);
}

/// The keys of the coordinator that have a sound value, except `kind`.
std::vector<std::pair<std::string_view, Place>> keys_given(const TunnelDraft& tunnel) {
    std::vector<std::pair<std::string_view, Place>> found;
    for (const KeySpec* spec : keys_in({coordinator_path, false})) {
        const auto given = tunnel.given.find(spec->path);
        if (given == tunnel.given.end() || spec->path == coordinator_kind_path) continue;
        found.emplace_back(spec->path, given->second);
    }
    return found;
}

void check_keys(const TunnelDraft& tunnel, ProblemList& problems) {
    const Kind kind = tunnel.policy.coordinator->kind;
    const Place place = tunnel.given.at(coordinator_path);
    for (const std::string_view path : needed_by(kind)) {
        if (has(tunnel, path)) continue;
        problems.add(
            place, fmt::format("`coordinator` has no `{}`, which {} needs; add {}", last_name(path),
                               in_words(kind), description_of(spec_at(path).kind)));
    }
    if (!tunnel.given.contains(coordinator_kind_path)) {
        if (!keys_given(tunnel).empty()) {
            problems.add(place,
                         "`coordinator` has no `kind`; add `kind: bucket`, `kind: etcd`, `kind: "
                         "file` or `kind: api`");
        }
        return;
    }
    for (const auto& [path, at] : keys_given(tunnel)) {
        if (takes(kind, path)) continue;
        problems.add(at, fmt::format("`{}` is a key for {}, not for {}; delete it, or correct "
                                     "`kind`",
                                     last_name(path), kinds_taking(path), in_words(kind)));
    }
}

/// Refuses the first of two keys without the second, where the kind takes both.
void check_pair(const TunnelDraft& tunnel, std::string_view first, std::string_view second,
                ProblemList& problems) {
    const bool taken = takes(tunnel.policy.coordinator->kind, first);
    if (!taken || !tunnel.given.contains(first) || has(tunnel, second)) return;
    problems.add(tunnel.given.at(first),
                 fmt::format("`{}` is of no use without `{}`; add {}", last_name(first),
                             last_name(second), description_of(spec_at(second).kind)));
}

void check_endpoint(const TunnelDraft& tunnel, ProblemList& problems) {
    const Coordinator& coordinator = *tunnel.policy.coordinator;
    const std::string tail = "/" + coordinator.bucket;
    if (coordinator.bucket.empty() || !coordinator.endpoint.ends_with(tail)) return;
    if (!tunnel.given.contains(endpoint_path)) return;
    problems.add(tunnel.given.at(endpoint_path),
                 fmt::format("`endpoint` ends with the name of the bucket; delete {} from it, "
                             "because `bucket` says it",
                             in_backticks(tail)));
}

/// `surge: auto` under `defaults` is for the other tunnels.
void settle_surge(const TunnelDraft& defaults, TunnelDraft& tunnel, ProblemList& problems) {
    const auto given = tunnel.given.find(surge_path);
    const auto general = defaults.given.find(surge_path);
    const bool own = given != tunnel.given.end() &&
                     (general == defaults.given.end() || general->second != given->second);
    if (own && tunnel.policy.rollout.surge == SurgeUse::automatic) {
        problems.add(
            given->second,
            "`surge` cannot be `auto` for a tunnel with a `coordinator`, because the units "
            "of the other hosts serve during a restart; write `never`, or delete the key");
    }
    tunnel.policy.rollout.surge = SurgeUse::never;
}

/// Each host must be told apart from all others.
void check_host(const TunnelDraft& tunnel, std::size_t index, ProblemList& problems) {
    const std::vector<KnownHost>& hosts = tunnel.policy.coordinator->hosts;
    const KnownHost& own = hosts[index];
    const Place place = tunnel.host_places[index];
    if (own.address.empty() == own.tag.empty()) {
        const std::string_view what =
            own.tag.empty() ? "has neither `address` nor `tag`; add one, so that Cloudflare's list "
                              "shows which connectors are its own"
                            : "has `address` and `tag`; delete one";
        problems.add(place, fmt::format("{} {}", in_backticks(own.host), what));
    }
    for (std::size_t i = 0; i < index; ++i) {
        const KnownHost& other = hosts[i];
        if (other.host == own.host) {
            problems.add(place, fmt::format("{} is already in `hosts`; each host is there once",
                                            in_backticks(own.host)));
        }
        const bool same_address = !own.address.empty() && other.address == own.address;
        const bool same_tag = !own.tag.empty() && other.tag == own.tag;
        if (same_address || same_tag) {
            problems.add(place,
                         fmt::format("{} and {} have the same `{}`{}", in_backticks(other.host),
                                     in_backticks(own.host), same_tag ? "tag" : "address",
                                     same_tag ? "; write another one"
                                              : "; give each of them a `tag` instead"));
        }
    }
}

/// What a host cannot do if it sees of the others only their connectors.
void check_api(const TunnelDraft& tunnel, ProblemList& problems) {
    const Coordinator& coordinator = *tunnel.policy.coordinator;
    const auto given = tunnel.given.find(hosts_path);
    if (given == tunnel.given.end() || !tunnel.comparable({hosts_path})) return;
    if (coordinator.hosts.size() < 2) {
        problems.add(given->second,
                     "`hosts` names fewer than two hosts; add the others, or delete `coordinator` "
                     "if this host alone runs the tunnel");
    }
    for (std::size_t i = 0; i < coordinator.hosts.size(); ++i) check_host(tunnel, i, problems);
    const auto named = std::ranges::find(coordinator.hosts, coordinator.host, &KnownHost::host);
    if (!coordinator.host.empty() && named == coordinator.hosts.end()) {
        problems.add(tunnel.given.at(own_host_path),
                     fmt::format("{} is not in `hosts`; correct it, or add it there",
                                 in_backticks(coordinator.host)));
    }
    if (tunnel.policy.rollout.on_failure == OnFailure::revert) {
        problems.add(tunnel.blame({on_failure_path}),
                     "`on_failure: revert` does not work with `kind: api`, because the other hosts "
                     "may already have the new token; write `hold`");
    }
    if (tunnel.policy.drift.restart == DriftRestart::never) {
        problems.add(tunnel.blame({drift_restart_path}),
                     "`restart: never` does not work with `kind: api`, because all hosts but the "
                     "first one restart their units after a change; write `now`");
    }
}

/// The others name their object by the tunnel.
void check_paths(const PolicyDraft& draft, ProblemList& problems) {
    std::map<std::string_view, const TunnelDraft*> seen;
    for (const TunnelDraft& tunnel : draft.tunnels) {
        const auto given = tunnel.given.find(shared_path_path);
        if (!tunnel.policy.coordinator || given == tunnel.given.end()) continue;
        const std::string& path = tunnel.policy.coordinator->path;
        const auto [first, is_new] = seen.emplace(path, &tunnel);
        if (is_new) continue;
        problems.add(given->second,
                     fmt::format("{} is already the file of tunnel {} on {}; each tunnel needs one "
                                 "of its own",
                                 in_backticks(path), in_backticks(first->second->policy.name),
                                 problems.line_name(first->second->given.at(shared_path_path),
                                                    given->second)));
    }
}

}  // namespace

void check_coordinators(PolicyDraft& draft, ProblemList& problems) {
    for (TunnelDraft& tunnel : draft.tunnels) {
        Rare<Coordinator>& coordinator = tunnel.policy.coordinator;
        if (!coordinator || !tunnel.comparable({coordinator_path, coordinator_kind_path})) continue;
        check_keys(tunnel, problems);
        check_pair(tunnel, cert_file_path, key_file_path, problems);
        check_pair(tunnel, key_file_path, cert_file_path, problems);
        check_pair(tunnel, user_path, password_path, problems);
        check_pair(tunnel, password_path, user_path, problems);
        check_endpoint(tunnel, problems);
        if (coordinator->kind == Kind::api) check_api(tunnel, problems);
        if (coordinator->kind == Kind::local)
            coordinator.reset();
        else
            settle_surge(draft.defaults, tunnel, problems);
    }
    check_paths(draft, problems);
}

bool only_follows(const TunnelDraft& tunnel) {
    if (!tunnel.comparable({coordinator_path, coordinator_kind_path, lead_path})) return true;
    return tunnel.policy.coordinator && !tunnel.policy.coordinator->lead;
}

}  // namespace keyturn
