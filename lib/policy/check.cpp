#include "policy/check.hpp"

#include "policy/check_coordinator.hpp"
#include "policy/check_schedule.hpp"
#include "policy/key_paths.hpp"
#include "policy/key_table.hpp"
#include "policy/source_text.hpp"
#include "policy/suggestion.hpp"
#include "policy/unit_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

void check_durations(const TunnelDraft& tunnel, ProblemList& problems) {
    const RolloutPolicy& rollout = tunnel.policy.rollout;
    const DurationOfKey healthy{healthy_deadline_path, rollout.healthy_deadline};
    const DurationOfKey progress{progress_deadline_path, rollout.progress_deadline};
    refuse_shorter(tunnel, healthy, {min_healthy_time_path, rollout.min_healthy_time},
                   ", so no unit could ever pass; raise `healthy_deadline` or lower "
                   "`min_healthy_time`",
                   problems);
    refuse_shorter(tunnel, progress, healthy,
                   ", so a slow start would count as a standstill; raise `progress_deadline` or "
                   "lower `healthy_deadline`",
                   problems);
    const bool bounded = tunnel.given.contains(soak_max_path);
    const std::string_view soak_key = bounded ? soak_max_path : soak_path;
    if (rollout.progress_deadline <= rollout.soak &&
        tunnel.comparable({progress_deadline_path, soak_key})) {
        problems.add(tunnel.blame({progress_deadline_path, soak_key}),
                     fmt::format("`progress_deadline` ({}) must be longer than `soak` ({}); "
                                 "otherwise every rotation is held during its soak",
                                 to_text(rollout.progress_deadline), to_text(rollout.soak)));
    }
}

void check_soak(const TunnelDraft& tunnel, ProblemList& problems) {
    const RolloutPolicy& rollout = tunnel.policy.rollout;
    if (!tunnel.comparable({soak_min_path, soak_max_path})) return;
    if (rollout.soak_min <= rollout.soak) return;
    problems.add(tunnel.blame({soak_min_path, soak_max_path}),
                 fmt::format("`min` ({}) of `soak` is longer than its `max` ({}); swap them",
                             to_text(rollout.soak_min), to_text(rollout.soak)));
}

void check_capacity(const TunnelDraft& tunnel, ProblemList& problems) {
    const RolloutPolicy& rollout = tunnel.policy.rollout;
    const std::vector<std::string>& units = tunnel.policy.units;
    if (tunnel.policy.coordinator) return;  // Other hosts have units, too.
    const bool unknown = units.empty() || !tunnel.comparable({units_path, min_available_path,
                                                              accept_gap_path, surge_path});
    if (unknown || rollout.accept_gap || rollout.surge != SurgeUse::never ||
        std::ranges::any_of(units, is_glob))
        return;
    if (static_cast<std::size_t>(rollout.min_available) < units.size()) return;
    const std::string needed = rollout.min_available == 1
                                   ? "two replicas are"
                                   : fmt::format("{} replicas are", rollout.min_available + 1);
    problems.add(
        tunnel.blame({min_available_path, units_path}),
        fmt::format(
            "{} needed, because `min_available` ({}) others must serve while one restarts, and "
            "`units` names only {}; add units, or set `surge: auto` or `accept_gap: true`",
            needed, rollout.min_available, units.size()));
}

void check_reference(const TunnelDraft& tunnel, const std::vector<std::string_view>& names,
                     ProblemList& problems) {
    const std::string& name = tunnel.policy.credential;
    const auto given = tunnel.given.find(credential_path);
    if (given == tunnel.given.end() || names.empty()) return;
    if (std::ranges::find(names, name) != names.end()) return;
    std::string remedy = did_you_mean(name, names);
    if (remedy.empty()) {
        const std::string known = fmt::format("{}", fmt::join(names, ", "));
        remedy = fmt::format("; known: {}", without_controls(with_secrets_starred(known)));
    }
    problems.add(given->second, fmt::format("{} is not in `cloudflare.credentials`{}",
                                            in_backticks(name), remedy));
}

/// True if something on this host calls the API.
bool needs_credentials(const PolicyDraft& draft) {
    return draft.tunnels.empty() ||
           std::ranges::any_of(draft.tunnels, [](const TunnelDraft& tunnel) {
               return tunnel.given.contains(credential_path) || !only_follows(tunnel);
           });
}

/// Reports what is not there and has to be. A host that only follows needs no API token.
void check_presence(const PolicyDraft& draft, ProblemList& problems) {
    if (draft.no_credentials && needs_credentials(draft)) {
        const bool at_all = *draft.no_credentials == Place{};
        problems.add(*draft.no_credentials,
                     at_all ? "the policy has no `cloudflare`"
                            : fmt::format("`cloudflare` has no `credentials`; add {}",
                                          description_of(KeyKind::named_sections)));
    }
    for (const TunnelDraft& tunnel : draft.tunnels) {
        if (tunnel.given.contains(credential_path) || tunnel.broken.contains(credential_path) ||
            only_follows(tunnel))
            continue;
        const std::string_view or_follow =
            tunnel.policy.coordinator && tunnel.policy.coordinator->kind != CoordinatorKind::api
                ? ", or `lead: false` to its `coordinator`"
                : "";
        problems.add(tunnel.place,
                     fmt::format("tunnel {} has no `credential`; add {}, here or under "
                                 "`defaults`{}",
                                 in_backticks(tunnel.policy.name),
                                 description_of(KeyKind::reference), or_follow));
    }
}

void check_credentials(PolicyDraft& draft, ProblemList& problems) {
    check_presence(draft, problems);
    std::vector<std::string_view> names;
    for (const auto& [name, source] : draft.cloudflare.credentials) names.push_back(name);
    check_reference(draft.defaults, names, problems);
    std::set<std::string_view> used;
    for (const TunnelDraft& tunnel : draft.tunnels) {
        check_reference(tunnel, names, problems);
        used.insert(tunnel.policy.credential);
    }
    for (const auto& [name, place] : draft.credential_places) {
        if (used.contains(name)) continue;
        draft.warnings.push_back(
            {place, fmt::format("no tunnel uses the credential {}", in_backticks(name))});
    }
}

void check_tunnel_ids(const PolicyDraft& draft, ProblemList& problems) {
    std::map<std::string_view, const TunnelDraft*> seen;
    for (const TunnelDraft& tunnel : draft.tunnels) {
        const auto given = tunnel.given.find(tunnel_id_path);
        if (given == tunnel.given.end()) continue;
        const auto [first, is_new] = seen.emplace(tunnel.policy.tunnel, &tunnel);
        if (is_new) continue;
        problems.add(given->second,
                     fmt::format("this tunnel is already listed as {} on {}; keep one of them",
                                 in_backticks(first->second->policy.name),
                                 problems.line_name(first->second->place, given->second)));
    }
}

/// One unit name or glob of one tunnel.
struct Claim {
    const TunnelDraft* tunnel = nullptr;
    std::string_view pattern;
    Place place;
};

void report_claim(const Claim& claim, const Claim& first, ProblemList& problems) {
    if (claim.tunnel == first.tunnel) {
        problems.add(
            claim.place,
            fmt::format("{} is already listed for this tunnel on {}; keep one of them",
                        in_backticks(claim.pattern), problems.line_name(first.place, claim.place)));
        return;
    }
    const std::string by = claim.pattern == first.pattern
                               ? std::string{}
                               : fmt::format(" by {}", in_backticks(first.pattern));
    problems.add(
        claim.place,
        fmt::format("{} is already claimed{} for tunnel {} on {}; a unit can serve only one tunnel",
                    in_backticks(claim.pattern), by, in_backticks(first.tunnel->policy.name),
                    problems.line_name(first.place, claim.place)));
}

/// Globs of two tunnels may overlap as well. That depends on the host's units, so the plan of a
/// rotation reports it instead.
void check_claims(const PolicyDraft& draft, ProblemList& problems) {
    std::map<std::string_view, Claim> claims;
    std::vector<Claim> globs;
    for (const TunnelDraft& tunnel : draft.tunnels) {
        for (std::size_t i = 0; i < tunnel.policy.units.size(); ++i) {
            const Claim claim{&tunnel, tunnel.policy.units[i], tunnel.unit_places[i]};
            const auto [first, is_new] = claims.emplace(claim.pattern, claim);
            if (!is_new)
                report_claim(claim, first->second, problems);
            else if (is_glob(claim.pattern))
                globs.push_back(claim);
        }
    }
    for (const auto& [pattern, claim] : claims) {
        if (is_glob(pattern)) continue;
        for (const Claim& glob : globs) {
            if (glob.tunnel == claim.tunnel) continue;
            if (!glob_matches(std::string{glob.pattern}, std::string{pattern})) continue;
            report_claim(claim, glob, problems);
            break;
        }
    }
}

/// True if one of the tunnel's units can have that name.
bool has_unit(const TunnelPolicy& tunnel, const std::string& name) {
    return std::ranges::any_of(tunnel.units, [&](const std::string& pattern) {
        return pattern == name || (is_glob(pattern) && glob_matches(pattern, name));
    });
}

/// One server cannot speak for two units, so nobody may mistake one unit for another.
void check_metrics_addresses(const PolicyDraft& draft, ProblemList& problems) {
    std::map<std::string_view, std::pair<std::string_view, Place>> taken;
    for (const TunnelDraft& tunnel : draft.tunnels) {
        for (const auto& [unit, address] : tunnel.policy.metrics_addresses) {
            const Place place = tunnel.address_places.at(unit);
            if (tunnel.comparable({units_path}) && !has_unit(tunnel.policy, unit)) {
                const std::vector<std::string_view> known{tunnel.policy.units.begin(),
                                                          tunnel.policy.units.end()};
                std::string remedy = did_you_mean(unit, known);
                if (remedy.empty()) remedy = "; name a unit of this tunnel";
                problems.add(place,
                             fmt::format("`metrics_address` has {}, which `units` does not name{}",
                                         in_backticks(unit), remedy));
            }
            const auto [first, is_new] = taken.try_emplace(address, unit, place);
            if (is_new) continue;
            problems.add(place,
                         fmt::format("{} of {} is already the address of {} on {}; each unit needs "
                                     "an address of its own",
                                     in_backticks(address), in_backticks(unit),
                                     in_backticks(first->second.first),
                                     problems.line_name(first->second.second, place)));
        }
    }
}

}  // namespace

void check_draft(PolicyDraft& draft, ProblemList& problems) {
    check_coordinators(draft, problems);
    check_credentials(draft, problems);
    check_tunnel_ids(draft, problems);
    check_claims(draft, problems);
    check_metrics_addresses(draft, problems);
    for (const TunnelDraft& tunnel : draft.tunnels) {
        check_durations(tunnel, problems);
        check_soak(tunnel, problems);
        check_capacity(tunnel, problems);
        check_schedule(tunnel, problems);
    }
}

}  // namespace keyturn
