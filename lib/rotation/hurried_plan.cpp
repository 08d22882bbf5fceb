#include "rotation/hurried_plan.hpp"

#include "rotation/preflight.hpp"
#include "rotation/preparation.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

/// How often keyturnd asks systemd for the units before it replaces the secret without knowing
/// them.
constexpr int hurried_tries = 3;

}  // namespace

Script<> HurriedPlan::make() {
    co_await save(Phase::preflight);
    const auto facts = co_await gather_facts(hurried_tries);
    if (!facts) co_return;
    if (facts->units.empty() && !facts->findings.empty()) {
        std::string text =
            fmt::format("no unit in `units:` is a connector of this tunnel; correct it: {}",
                        fmt::join(facts->findings, "; "));
        co_await refuse(std::move(text));
    }
    for (const std::string& finding : facts->findings) {
        say(EventKind::unit_passed_over, Priority::alert,
            fmt::format("Left out of the rotation of {}: {}", inputs_.policy.name, finding));
    }
    preparation_.plan(*facts);
    known_ = true;
}

/// Returns nothing if systemd does not answer soon.
Script<std::optional<PreflightFacts>> HurriedPlan::gather_facts(int tries) {
    std::optional<PreflightFacts> facts;
    for (int attempt = 0; attempt < tries; ++attempt) {
        const InspectUnits inspect_units{.must_know = false};
        auto inspected = co_await ask(inspect_units);
        SampleUnits sample_units;
        PreflightFacts seen;
        if (inspected) seen.take_units(std::move(*inspected));
        for (const InspectUnits::Unit& unit : seen.units) sample_units.names.push_back(unit.name);
        auto samples = co_await ask(std::move(sample_units));
        if (inspected && samples) {
            seen.samples = std::move(*samples);
            seen.leave_out_other_tunnels(inputs_.policy.tunnel);
            note_proven(context_.proven, seen.samples);
            facts = std::move(seen);
            break;
        }
        const Milliseconds pause = std::chrono::seconds{1};
        if (attempt + 1 < tries) co_await sleep_for(pause);
    }
    const auto files = co_await ask<CheckFiles>();
    if (facts && files) facts->files = *files;
    co_return facts;
}

Script<> HurriedPlan::make_late() {
    const auto facts = co_await gather_facts(1);
    if (!facts) co_return;
    record_.units = plan_units(inputs_.policy, *facts);
    for (UnitProgress& unit : record_.units) unit.invocation_old.clear();
    view_.samples = facts->samples;
    known_ = true;
    preparation_.tell_left_stopped();
}

Script<> HurriedPlan::insist_on_it() {
    for (std::size_t attempt = 0; !known_; ++attempt) {
        co_await make_late();
        const Error silent{Fault::unreachable, "systemd does not answer"};
        if (!known_) co_await wait_out(silent, "cannot inspect the units", attempt);
    }
    waited_enough();
}

Script<> HurriedPlan::take_in_new_units() {
    const auto facts = co_await gather_facts(hurried_tries);
    if (!facts) co_return;
    int last_batch = std::max(1, record_.batch_count());
    std::vector<UnitProgress> units;
    for (UnitProgress& named : plan_units(inputs_.policy, *facts)) {
        const UnitProgress* known = record_.find(named.name);
        if (known == nullptr) {
            named.invocation_old.clear();
            if (named.batch > 0) named.batch = last_batch;
        }
        units.push_back(known == nullptr ? named : *known);
    }
    if (!units.empty()) record_.units = std::move(units);
    known_ = known_ || !record_.units.empty();
}

}  // namespace keyturn
