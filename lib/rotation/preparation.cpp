#include "rotation/preparation.hpp"

#include "base/counted.hpp"
#include "rotation/capacity.hpp"
#include "rotation/preflight.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

Script<Ending> Preparation::tell() {
    co_await preflight();
    co_await prepare();
    co_return Ending::go_on(ChapterName::commit);
}

Script<PreflightFacts> Preparation::gather_facts() {
    PreflightFacts facts;
    // The token comes first: a credential that does not work is the most common mistake.
    facts.token =
        co_await ask_or_refuse<ReadToken>("cannot read the tunnel's token from Cloudflare");
    facts.tunnel = co_await ask_or_refuse<InspectTunnel>("cannot look up the tunnel at Cloudflare");
    facts.files = co_await ask_or_refuse<CheckFiles>("the token file cannot be replaced");
    InspectUnits::Value inspected =
        co_await ask_or_refuse<InspectUnits>("cannot inspect the units");
    facts.take_units(std::move(inspected));
    SampleUnits sample_units;
    for (const InspectUnits::Unit& unit : facts.units) sample_units.names.push_back(unit.name);
    facts.samples = co_await ask_or_refuse(sample_units, "cannot inspect the units");
    facts.connectors =
        co_await ask_or_refuse<ListConnectors>("cannot list the tunnel's connectors at Cloudflare");
    co_return facts;
}

Script<> Preparation::preflight() {
    // The request itself is durable: a crash during the checks does not lose an operator's
    // rotation.
    co_await save(Phase::preflight);
    const PreflightFacts facts = co_await gather_facts();
    const std::vector<std::string> problems =
        judge_preflight(inputs_.policy, gap_accepted(context_), record_.request.scheduled, facts);
    if (!problems.empty()) {
        std::string text =
            fmt::format("{}{}", fmt::join(problems, "; "), noted_text(facts.findings));
        co_await refuse(std::move(text));
    }
    findings_ = facts.findings;
    plan(facts);
}

void Preparation::plan(const PreflightFacts& facts) {
    record_.old_fingerprint = facts.files.fingerprint;
    record_.units = plan_units(inputs_.policy, facts);
    record_.connectors_before.clear();
    for (const Connector& connector : facts.connectors) {
        record_.connectors_before.push_back(connector.id);
    }
    view_.samples = facts.samples;
    tell_left_stopped();
}

void Preparation::tell_left_stopped() {
    for (const UnitProgress& unit : record_.units) {
        if (unit.step != UnitStep::listed || unit.surge) continue;
        say(EventKind::unit_left_stopped, Priority::warning,
            record_.keeps_token()
                ? fmt::format("{} is not running: keyturnd does not start it", unit.name)
                : fmt::format(
                      "{} is not running: keyturnd gives it the new token but does not start it",
                      unit.name),
            unit.name, "listed");
    }
}

Script<> Preparation::prepare() {
    co_await save(Phase::prepare);
    PrepareSecret question{record_.superseded};
    const PrepareSecret::Value prepared =
        co_await ask_or_refuse(std::move(question), "cannot prepare the new secret");
    invariant(prepared.new_fingerprint != prepared.old_fingerprint, "a new secret must be new");
    // Only in this case do running units run on the old token and can be left on it.
    const bool on_it = record_.old_fingerprint == prepared.old_fingerprint &&
                       inputs_.policy.drift.restart != DriftRestart::never;
    for (UnitProgress& unit : record_.units) {
        if (!on_it) unit.invocation_old.clear();
    }
    record_.rotation_id = prepared.rotation_id;
    record_.old_fingerprint = prepared.old_fingerprint;
    record_.new_fingerprint = prepared.new_fingerprint;
    const auto own_units = std::ranges::count(record_.units, false, &UnitProgress::surge);
    say(EventKind::rotation_started, Priority::notice,
        fmt::format(
            "{} of {} ({}): {} in {}, token {} -> {}{}",
            record_.compromised() ? "Replacing the compromised token" : "Rotating the token",
            inputs_.policy.name, record_.request.trigger, counted(own_units, "unit"),
            counted(record_.batch_count(), "batch", "batches"), record_.old_fingerprint,
            record_.new_fingerprint, noted_text(findings_)),
        {}, std::string(kind_word()));
    say(EventKind::secret_prepared, Priority::info,
        fmt::format("The new secret of {} is saved and staged", inputs_.policy.name));
}

}  // namespace keyturn
