#include "rotation/bring_in.hpp"

#include "base/counted.hpp"
#include "rotation/capacity.hpp"
#include "rotation/preflight.hpp"
#include "rotation/preparation.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

constexpr const char* another_token =
    "Cloudflare has another token than the token file; wait until keyturnd has taken it over";

bool stays(const RotationRequest& request, const InspectUnits::Unit& unit) {
    return !unit.surge && !request.moves(unit.name);
}

/// Only the units that move, with their samples.
PreflightFacts facts_of_the_moved(const RotationRequest& request, const PreflightFacts& facts) {
    PreflightFacts moved = facts;
    moved.units.clear();
    moved.samples.clear();
    for (std::size_t i = 0; i < facts.units.size(); ++i) {
        if (stays(request, facts.units[i])) continue;
        moved.units.push_back(facts.units[i]);
        moved.samples.push_back(facts.samples[i]);
    }
    return moved;
}

/// The token stays the same, so a connector on another host loses nothing.
void leave_out_foreign(PreflightFacts& facts) {
    const auto foreign = foreign_connectors(facts.connectors, facts.samples);
    std::erase_if(facts.connectors, [&](const Connector& connector) {
        return std::ranges::find(foreign, connector.id, &Connector::id) != foreign.end();
    });
}

}  // namespace

Script<Ending> BringIn::tell() {
    if (record_.phase != Phase::commit) {
        co_await examine();
        co_await keep_token();
        co_await stand_still();
        if (context_.revert_wanted) co_await obey();
        co_await save(Phase::commit);
    }
    co_await handover_.deliver();
    co_await handover_.confirm(false);
    token_.note_confirmed();
    co_return Ending::go_on(ChapterName::window);
}

Script<> BringIn::examine() {
    co_await save(Phase::preflight);
    PreflightFacts facts = co_await preparation_.gather_facts();
    leave_out_foreign(facts);
    std::vector<std::string> problems;
    judge_names(facts, problems);
    if (facts.files.fingerprint.empty()) {
        problems.emplace_back("there is no token file yet; wait until keyturnd has written it");
    } else if (facts.token.fingerprint != facts.files.fingerprint) {
        problems.emplace_back(another_token);
    }
    judge_sources(facts, problems);
    std::vector<std::string> usual =
        judge_preflight(inputs_.policy, gap_accepted(context_), record_.request.scheduled, facts);
    std::ranges::move(usual, std::back_inserter(problems));
    if (!problems.empty()) {
        std::string text =
            fmt::format("{}{}", fmt::join(problems, "; "), noted_text(facts.findings));
        co_await refuse(std::move(text));
    }
    findings_ = facts.findings;
    plan(facts);
}

/// Only a unit that was moved onto our file has to take its token from it, and the extra connector
/// with it. When units leave, the token stays the same, wherever the extra connector takes it from.
void BringIn::judge_sources(PreflightFacts& facts, std::vector<std::string>& problems) const {
    const bool onto_our_file = record_.request.kind == RotationKind::adopt;
    for (std::size_t i = 0; i < facts.units.size(); ++i) {
        InspectUnits::Unit& unit = facts.units[i];
        const bool moved = !unit.surge && record_.request.moves(unit.name);
        if (onto_our_file && (unit.surge || moved)) continue;
        if (unit.elsewhere) unit.problem.reset();
        if (unit.surge) continue;
        const bool still_ours = !unit.elsewhere && !unit.problem;
        if (moved && still_ours && facts.samples[i].state.loaded()) {
            problems.push_back(fmt::format(
                "{} still takes its token from keyturn's token file: change that first, then run "
                "`systemctl daemon-reload`",
                unit.name));
        }
    }
}

void BringIn::judge_names(const PreflightFacts& facts, std::vector<std::string>& problems) const {
    for (const std::string& name : record_.request.units) {
        const auto known = std::ranges::find(facts.units, name, &InspectUnits::Unit::name);
        if (known != facts.units.end() && !known->surge) continue;
        problems.push_back(fmt::format(
            "{} is not a unit of {}: correct the name, or add the unit to `units:` in the policy",
            name, inputs_.policy.name));
    }
}

void BringIn::plan(const PreflightFacts& facts) {
    preparation_.plan(facts_of_the_moved(record_.request, facts));
    plan_to_stay(facts);
    view_.samples = facts.samples;
}

/// A unit that stays and serves is proven as it is. It is unknown which token its process has read.
void BringIn::plan_to_stay(const PreflightFacts& facts) {
    for (std::size_t i = 0; i < facts.units.size(); ++i) {
        if (!stays(record_.request, facts.units[i])) continue;
        const SampleUnits::Sample& sample = facts.samples[i];
        UnitProgress unit;
        unit.name = facts.units[i].name;
        unit.stop_and_start = facts.units[i].stop_and_start;
        unit.baseline = sample.connections().value_or(0);
        unit.step = UnitStep::listed;
        if (sample.serves()) {
            unit.step = UnitStep::verified;
            unit.connector_after = sample.readiness->connector_id;
            unit.verified_by = "not restarted";
            std::erase(record_.connectors_before, unit.connector_after);
        }
        record_.units.push_back(std::move(unit));
    }
}

/// Keeps the token that the file contains. From then on the means of every rotation can tell when
/// somebody else changes it.
Script<> BringIn::keep_token() {
    co_await save(Phase::prepare);
    KeepToken question;
    question.fingerprint = record_.old_fingerprint;
    question.fresh_id = true;
    std::string purpose = "cannot keep the token for this rotation";
    const KeepToken::Value kept = co_await ask_or_refuse(std::move(question), purpose);
    if (kept.fingerprint != record_.old_fingerprint) {
        std::string text = another_token;
        co_await refuse(std::move(text));
    }
    record_.rotation_id = kept.rotation_id;
    record_.new_fingerprint = kept.fingerprint;
    tell_start();
}

void BringIn::tell_start() {
    const bool onto_our_file = record_.request.kind == RotationKind::adopt;
    const auto moved = std::ranges::count_if(record_.units, [&](const UnitProgress& unit) {
        return !unit.surge && record_.request.moves(unit.name);
    });
    say(EventKind::rotation_started, Priority::notice,
        fmt::format("{} {} of {} {} keyturn's token file ({}): {}, token {}{}",
                    onto_our_file ? "Bringing" : "Taking", counted(moved, "unit"),
                    inputs_.policy.name, onto_our_file ? "onto" : "off", record_.request.trigger,
                    counted(record_.batch_count(), "batch", "batches"), record_.new_fingerprint,
                    noted_text(findings_)),
        {}, std::string(kind_word()));
}

}  // namespace keyturn
