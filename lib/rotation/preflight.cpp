#include "rotation/preflight.hpp"

#include "base/invariant.hpp"
#include "model/unit_command.hpp"
#include "rotation/batches.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace keyturn {

namespace {

using Sample = SampleUnits::Sample;
using Problems = std::vector<std::string>;

void judge_tunnel(const TunnelPolicy& policy, const PreflightFacts& facts, Problems& problems) {
    if (facts.tunnel.deleted) {
        problems.push_back(
            fmt::format("the tunnel {} was deleted at Cloudflare; correct `tunnel:` or remove the "
                        "tunnel from the policy",
                        policy.tunnel));
    }
    if (facts.files.other_tunnel) {
        problems.push_back(
            "the token file contains the token of another tunnel; if nothing uses it, remove it "
            "and restart keyturnd, which writes the right one");
    }
}

void judge_clock(const PreflightFacts& facts, Problems& problems) {
    const Milliseconds ahead = facts.token.clock_ahead.value_or(Milliseconds{0});
    if (std::chrono::abs(ahead) > Milliseconds{clock_error_max}) {
        problems.push_back(fmt::format(
            "this host's clock is {} {} the API's; correct it: until then, no scheduled rotation "
            "begins",
            to_text(std::chrono::abs(ahead)), ahead > Milliseconds{0} ? "ahead of" : "behind"));
    }
}

/// Checks the unit's settings, and what keyturnd may do to it.
void judge_settings(const InspectUnits::Unit& unit, Problems& problems) {
    if (unit.problem) problems.push_back(fmt::format("{}: {}", unit.name, *unit.problem));
    if (unit.not_allowed) problems.push_back(fmt::format("{}: {}", unit.name, *unit.not_allowed));
}

const Connector* connector_of(const Sample& sample, const std::vector<Connector>& connectors) {
    if (!sample.readiness) return nullptr;
    const auto found =
        std::ranges::find(connectors, sample.readiness->connector_id, &Connector::id);
    return found == connectors.end() ? nullptr : &*found;
}

/// Why an operator must not be told how to give this tunnel's token to a unit: the unit serves
/// another tunnel, or may do so, or its cloudflared could not read the token.
std::optional<std::string> not_to_be_set_up(const TunnelPolicy& policy,
                                            const InspectUnits::Unit& unit, const Sample& sample,
                                            const std::vector<Connector>& connectors) {
    if (!sample.readiness) return std::nullopt;
    const std::string& tunnel = sample.readiness->tunnel;
    if (!tunnel.empty() && tunnel != policy.tunnel) {
        return fmt::format("{} serves tunnel {}, but the policy says {}: correct `units:`",
                           unit.name, tunnel, policy.tunnel);
    }
    const Connector* connector = connector_of(sample, connectors);
    if (connector != nullptr && lacks_token_file(connector->version)) {
        return fmt::format(
            "{} runs cloudflared {}, which has no --token-file: update cloudflared to 2025.4.0 or "
            "later and restart the unit",
            unit.name, connector->version);
    }
    if (unit.problem && tunnel.empty() && connector == nullptr) {
        return fmt::format(
            "the API does not list connector {} of {}, so its token may belong to another tunnel: "
            "correct `units:`; if the unit was just started, try again in a minute",
            sample.readiness->connector_id, unit.name);
    }
    return std::nullopt;
}

void judge_unit(const TunnelPolicy& policy, const InspectUnits::Unit& unit, const Sample& sample,
                const std::vector<Connector>& connectors, Problems& problems) {
    const UnitState& state = sample.state;
    if (!state.loaded()) {
        problems.push_back(
            fmt::format("{} is {}: correct `units:` in the policy, or create the unit", unit.name,
                        state.load_state.empty() ? "unknown to systemd" : state.load_state));
        return;
    }
    if (auto why = not_to_be_set_up(policy, unit, sample, connectors)) {
        problems.push_back(std::move(*why));
        return;
    }
    judge_settings(unit, problems);
    if (!state.running() && state.active_state != "inactive") {
        problems.push_back(fmt::format("{} is {}/{}: fix it first ({})", unit.name,
                                       state.active_state, state.sub_state,
                                       unit_command("systemctl status", unit.name)));
    }
    if (!state.running()) return;
    if (sample.unknown()) {
        problems.push_back(fmt::format("{}: {}", unit.name, sample.why_unknown()));
    } else if (sample.idle()) {
        problems.push_back(
            fmt::format("{} is running but has no connection to Cloudflare (/ready says 0): fix it "
                        "first ({})",
                        unit.name, unit_command("journalctl -u", unit.name)));
    }
}

/// Checks the extra connector. If it runs now, keyturnd did not start it.
void judge_surge(const InspectUnits::Unit& unit, const Sample& sample, Problems& problems) {
    judge_settings(unit, problems);
    if (sample.state.running()) {
        problems.push_back(
            fmt::format("{} runs although no rotation is open: stop it "
                        "(systemctl stop {})",
                        unit.name, unit.name));
    }
}

void judge_capacity(const TunnelPolicy& policy, bool accept_gap, const PreflightFacts& facts,
                    Problems& problems) {
    // A unit that could not be asked is the real problem: it may be the one that is missing.
    if (std::ranges::any_of(facts.samples, &Sample::unknown)) return;
    const int serving = count_serving(facts.samples);
    const int needed = policy.rollout.min_available + 1;
    if (serving == 0) {
        problems.emplace_back("no unit of this tunnel serves: start one first");
        return;
    }
    const bool surge = std::ranges::any_of(facts.units, &InspectUnits::Unit::surge);
    if (serving >= needed || accept_gap || (surge && serving + 1 >= needed)) return;
    const bool allowed = policy.rollout.surge != SurgeUse::never && !surge;
    problems.push_back(fmt::format(
        "{} serving, but while one restarts, min_available ({}) others must serve: add a unit, "
        "{}or accept a gap in service with `accept_gap: true` or --accept-gap",
        serving == 1 ? "only one unit is" : fmt::format("only {} units are", serving),
        policy.rollout.min_available,
        allowed
            ? fmt::format("let an extra unit help out (sudo keyturnctl surge {}), ", policy.name)
            : ""));
}

/// Every connector at the API must be one of ours, and every one of ours must be listed there.
void judge_connectors(const PreflightFacts& facts, Problems& problems) {
    for (const Connector& connector : foreign_connectors(facts.connectors, facts.samples)) {
        problems.push_back(fmt::format(
            "this tunnel also runs elsewhere: {} belongs to none of these units. Its "
            "token would stop working: add its unit to `units:`, or stop it; for a tunnel "
            "on several hosts, see keyturn-fleet(7)",
            describe(connector)));
    }
    for (const Sample& sample : facts.samples) {
        if (!sample.serves()) continue;
        const std::string& id = sample.readiness->connector_id;
        if (std::ranges::find(facts.connectors, id, &Connector::id) == facts.connectors.end()) {
            problems.push_back(fmt::format(
                "the API does not list connector {} of {}; if the unit was just started, try again "
                "in a minute; otherwise its token may belong to another tunnel",
                id, sample.state.name));
        }
    }
}

}  // namespace

bool lacks_token_file(std::string_view version) {
    constexpr std::array<int, 3> first{2025, 4, 0};
    std::array<int, 3> parts{};
    for (int& part : parts) {
        const auto [end, error] =
            std::from_chars(version.data(), version.data() + version.size(), part);
        if (error != std::errc()) return false;  // Such as "DEV", which says nothing.
        version.remove_prefix(static_cast<std::size_t>(end - version.data()));
        if (version.starts_with('.')) version.remove_prefix(1);
    }
    return parts < first;
}

void PreflightFacts::take_units(InspectUnits::Value inspected) {
    for (InspectUnits::Unit& unit : inspected) {
        for (const std::string& finding : unit.findings)
            findings.push_back(fmt::format("{}: {}", unit.name, finding));
        if (!unit.passed_over) units.push_back(std::move(unit));
    }
}

void PreflightFacts::leave_out_other_tunnels(const std::string& wanted) {
    invariant(units.size() == samples.size(), "every unit must be sampled");
    for (std::size_t i = units.size(); i-- > 0;) {
        const std::optional<Readiness>& ready = samples[i].readiness;
        if (!ready || ready->tunnel.empty() || ready->tunnel == wanted) continue;
        findings.push_back(fmt::format("{}: it serves tunnel {}", units[i].name, ready->tunnel));
        units.erase(units.begin() + static_cast<std::ptrdiff_t>(i));
        samples.erase(samples.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

std::vector<Connector> foreign_connectors(const std::vector<Connector>& connectors,
                                          const SampleUnits::Value& samples) {
    std::vector<Connector> foreign = connectors;
    std::erase_if(foreign, [&](const Connector& connector) {
        return std::ranges::any_of(samples, [&](const Sample& sample) {
            return sample.readiness && sample.readiness->connector_id == connector.id;
        });
    });
    return foreign;
}

bool tells_its_connector(const Sample& sample) {
    return sample.readiness || sample.state.at_rest() || !sample.state.loaded();
}

std::string noted_text(const std::vector<std::string>& findings) {
    return findings.empty() ? "" : fmt::format("; noted: {}", fmt::join(findings, "; "));
}

std::string describe(const Connector& connector) {
    return fmt::format("connector {} from {} since {}", connector.id,
                       connector.origin_ip.empty() ? "an unknown address" : connector.origin_ip,
                       connector.run_at.empty() ? "an unknown time" : connector.run_at);
}

std::vector<UnitProgress> plan_units(const TunnelPolicy& policy, const PreflightFacts& facts) {
    std::vector<UnitProgress> plan;
    std::vector<UnitProgress> listed;
    for (std::size_t i = 0; i < facts.units.size(); ++i) {
        const Sample& sample = facts.samples[i];
        UnitProgress unit;
        unit.surge = facts.units[i].surge;
        unit.name = facts.units[i].name;
        unit.stop_and_start = facts.units[i].stop_and_start;
        const bool goes = sample.state.started() && !unit.surge;
        unit.step = goes ? UnitStep::waiting : UnitStep::listed;
        unit.baseline = sample.connections().value_or(0);
        unit.invocation_old = sample.state.invocation;
        if (sample.readiness) unit.connector_before = sample.readiness->connector_id;
        (unit.step == UnitStep::listed ? listed : plan).push_back(std::move(unit));
    }
    // The extra connector must be as good as the best of the units.
    for (UnitProgress& unit : listed) {
        if (!unit.surge) continue;
        for (const UnitProgress& other : plan)
            unit.baseline = std::max(unit.baseline, other.baseline);
    }
    if (plan.empty()) return listed;
    const RolloutPolicy& rollout = policy.rollout;
    std::size_t next = 0;
    int batch = 0;
    for (const int size :
         batch_sizes(static_cast<int>(plan.size()), rollout.batches, rollout.canary)) {
        ++batch;
        for (int i = 0; i < size; ++i) plan[next++].batch = batch;
    }
    plan.insert(plan.end(), listed.begin(), listed.end());
    return plan;
}

std::vector<std::string> judge_preflight(const TunnelPolicy& policy, bool accept_gap,
                                         bool scheduled, const PreflightFacts& facts) {
    invariant(facts.units.size() == facts.samples.size(), "every unit must be sampled");
    Problems problems;
    judge_tunnel(policy, facts, problems);
    if (scheduled) judge_clock(facts, problems);
    if (std::ranges::all_of(facts.units, &InspectUnits::Unit::surge)) {
        problems.emplace_back(
            "no unit matches `units:`; name the cloudflared units of this tunnel");
        return problems;
    }
    for (std::size_t i = 0; i < facts.units.size(); ++i) {
        if (facts.units[i].surge) {
            judge_surge(facts.units[i], facts.samples[i], problems);
        } else {
            judge_unit(policy, facts.units[i], facts.samples[i], facts.connectors, problems);
        }
    }
    if (problems.empty()) {
        judge_capacity(policy, accept_gap, facts, problems);
        judge_connectors(facts, problems);
    }
    return problems;
}

}  // namespace keyturn
