#include "agent/drift_watch.hpp"

#include "agent/bring_back.hpp"
#include "agent/unit_starts.hpp"
#include "clock/clock.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "journal/event_log.hpp"
#include "state/state_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace keyturn {

namespace {

SampleUnits::Value without_surge(const PreflightFacts& facts) {
    SampleUnits::Value own;
    for (std::size_t i = 0; i < facts.units.size(); ++i) {
        if (!facts.units[i].surge) own.push_back(facts.samples[i]);
    }
    return own;
}

}  // namespace

DriftWatch::DriftWatch(const TunnelPolicy& policy, TunnelState& state, Executor& executor,
                       Dependencies world, EventLog& log)
    : policy_(policy),
      state_(state),
      executor_(executor),
      world_(world),
      log_(log),
      units_(policy.units) {}

Task<Drift> DriftWatch::look(bool scheduled) {
    times_.begin_look(world_.clock.boot_now());
    Result<Drift> drift = co_await look_at_all(scheduled);
    findings_.note_look(drift ? "" : drift.error().text);
    checks_.note(drift.has_value(), world_.clock.wall_now());
    record_events();
    if (drift) times_.succeeded();
    if (!drift) times_.failed(drift.error(), world_.clock.boot_now());
    world_.api.close_idle();
    co_return drift ? *std::move(drift) : Drift{};
}

Task<Result<Drift>> DriftWatch::look_at_all(bool scheduled) {
    PreflightFacts facts;
    const ReadToken read_token;
    const auto token = co_await executor_.ask(read_token);
    if (!token) co_return token.error();
    facts.token = *token;
    if (token->clock_ahead) correct_dates(*token->clock_ahead);
    const Result<Fingerprint> file = executor_.delivered_fingerprint();
    if (!file) co_return file.error();
    bool unchanged = *file == state_.delivered;
    Drift drift;
    if (token->fingerprint != *file) {
        const auto restored = co_await restore_token_file(token->fingerprint, *file);
        if (!restored) co_return restored.error();
        if (!*restored) {
            drift.take_over = RotationRequest{RotationKind::takeover, "foreign rotation"};
            co_return drift;
        }
        unchanged = false;
    }
    const auto seen = co_await see_units(facts);
    if (!seen) co_return seen.error();
    const ListConnectors list;
    const auto connectors = co_await executor_.ask(list);
    if (!connectors) co_return connectors.error();
    facts.connectors = *connectors;
    std::vector<std::string> problems;
    const CheckFiles check;
    const auto files = co_await executor_.ask(check);
    if (files) facts.files = *files;
    if (!files) problems.push_back("the token file cannot be replaced: " + files.error().text);
    const SampleUnits::Value own = without_surge(facts);
    note_samples(own);
    note_token(token->fingerprint, own, unchanged);
    seen_.note(own, world_.clock.boot_now());
    note_foreign(facts);
    note_problems(scheduled, facts, std::move(problems));
    drift.bring_back = act_on_outdated(facts);
    co_return drift;
}

/// The API and the file disagree, so somebody changed only one of them. Writes the file again if it
/// was the file. Returns false if it was the API: then the units have to follow.
Task<Result<bool>> DriftWatch::restore_token_file(Fingerprint api, Fingerprint file) {
    const bool file_alone = state_.delivered.empty() ? file.empty() : api == state_.delivered;
    if (!file_alone) co_return false;
    const auto delivered = co_await executor_.deliver_again(api);
    if (!delivered) {
        co_return with_context("the token file does not hold its token and cannot be written",
                               delivered.error());
    }
    findings_.note_token_file(file, api);
    record_events();
    co_return true;
}

Task<Result<void>> DriftWatch::see_units(PreflightFacts& facts) {
    const InspectUnits inspect{.must_know = false};
    auto units = co_await executor_.ask(inspect);
    if (!units) co_return units.error();
    facts.take_units(std::move(*units));
    SampleUnits sample;
    for (const InspectUnits::Unit& unit : facts.units) sample.names.push_back(unit.name);
    auto samples = co_await executor_.ask(sample);
    if (!samples) co_return samples.error();
    facts.samples = std::move(*samples);
    std::vector<std::string> own;
    for (const InspectUnits::Unit& unit : facts.units) {
        if (!unit.surge) own.push_back(unit.name);
    }
    note_units(std::move(own));
    co_return Result<void>();
}

Task<> DriftWatch::look_at_units() {
    times_.begin_units_look(world_.clock.boot_now());
    const SampleUnits question{units_};
    const auto samples = co_await executor_.ask(question);
    if (!samples) co_return;  // The next look at Cloudflare says so.
    note_samples(*samples);
    const auto file = executor_.delivered_fingerprint();
    const bool unchanged = file && *file == state_.delivered;
    const bool lost = std::ranges::any_of(
        *samples, [this](const SampleUnits::Sample& sample) { return seen_.lost(sample); });
    if (unchanged) note_token(state_.delivered, *samples, true);
    if (lost || !unchanged) times_.look_soon(world_.clock.boot_now());
}

Task<> DriftWatch::look_for_strangers() {
    PreflightFacts facts;
    const auto seen = co_await see_units(facts);
    if (!seen) co_return;  // The next look at Cloudflare says so.
    const ListConnectors list;
    const auto connectors = co_await executor_.ask(list);
    if (!connectors) co_return;
    facts.connectors = *connectors;
    const bool news = findings_.note_foreign(take_foreign(facts));
    record_events();
    if (news) times_.look_again(world_.clock.boot_now());
}

void DriftWatch::rotation_ended(const HistoryEntry& entry) {
    proven_.clear();
    for (const UnitProgress& unit : entry.units) {
        if (unit.connector_after.empty()) continue;
        proven_.push_back({unit.name, unit.invocation_after, unit.connector_after, ""});
    }
}

void DriftWatch::preflight_passed() {
    static_cast<void>(findings_.note_problems({}));
    record_events();
}

/// A check that found no unit does not erase the names.
void DriftWatch::note_units(std::vector<std::string> names) {
    if (!names.empty()) units_ = std::move(names);
}

/// Dates that are in the future by the API's clock were written while the host's clock was wrong.
/// They could delay the next rotation for years.
void DriftWatch::correct_dates(Milliseconds clock_ahead) {
    const WallTime now = world_.clock.wall_now() - clock_ahead;
    const auto in_the_future = [&](WallTime date) { return date > now + clock_error_max; };
    const bool first_seen = in_the_future(state_.first_seen);
    const bool last_done = state_.last_done && in_the_future(*state_.last_done);
    if (first_seen) state_.first_seen = now;
    if (last_done) state_.last_done = now;
    if (first_seen || last_done) save();
}

/// `unchanged` means that the token file has held only the delivered token since the last check.
void DriftWatch::note_token(const Fingerprint& delivered, const SampleUnits::Value& samples,
                            bool unchanged) {
    const TunnelState before = state_;
    state_.delivered = delivered;
    std::vector<std::string> unknown = ::keyturn::note_starts(state_, samples, unchanged);
    if (before.delivered.empty()) suspect_unknown(unknown);
    if (!(state_ == before)) save();
    findings_.note_starts(state_, unknown);
    record_events();
}

/// The state was lost while a rotation was open, but its kept tokens are still there. A unit that
/// was started before keyturnd first checked it may run on the old token.
void DriftWatch::suspect_unknown(std::vector<std::string>& unknown) {
    const Fingerprint replaced = executor_.replaced_fingerprint(state_.delivered);
    if (replaced.empty()) return;
    for (UnitStart& start : state_.starts) {
        if (std::ranges::find(unknown, start.unit) != unknown.end()) start.fingerprint = replaced;
    }
    unknown.clear();
}

void DriftWatch::note_foreign(PreflightFacts& facts) {
    note_proven(proven_, facts.samples);
    if (std::ranges::all_of(facts.samples, tells_its_connector)) {
        note_origins(proven_, facts.connectors);
    }
    const bool news = findings_.note_foreign(take_foreign(facts));
    record_events();
    if (news) times_.look_again(world_.clock.boot_now());
}

/// Takes the connectors that are none of our units out of the facts, because they have their own
/// findings. If a unit does not report its connector, foreign ones cannot be told apart, and none
/// is taken.
std::vector<Connector> DriftWatch::take_foreign(PreflightFacts& facts) const {
    if (!std::ranges::all_of(facts.samples, tells_its_connector)) return {};
    std::vector<Connector> foreign = foreign_connectors(facts.connectors, facts.samples);
    std::erase_if(facts.connectors,
                  [&](const Connector& connector) { return lists(foreign, connector.id); });
    return foreign;
}

void DriftWatch::note_problems(bool scheduled, const PreflightFacts& facts,
                               std::vector<std::string> problems) {
    std::ranges::move(judge_preflight(policy_, policy_.rollout.accept_gap, scheduled, facts),
                      std::back_inserter(problems));
    const bool news = findings_.note_problems(std::move(problems));
    record_events();
    if (news) times_.look_again(world_.clock.boot_now());
}

/// Returns the rotation that restarts units on an older token; empty if none is due.
std::optional<RotationRecord> DriftWatch::act_on_outdated(const PreflightFacts& facts) {
    const std::vector<UnitStart> outdated = outdated_starts(state_);
    if (outdated.empty() || state_.rotation || state_.paused) return std::nullopt;
    if (policy_.drift.restart == DriftRestart::never) return std::nullopt;
    const BootTime now = world_.clock.boot_now();
    const WallTime wall_now = world_.clock.wall_now();
    if (seen_.idle_since(outdated)) times_.look_soon(now);
    if (!may_bring_back(policy_, units_.size(), outdated, seen_, now, wall_now)) {
        return std::nullopt;
    }
    RotationRecord planned = plan_for_outdated(policy_, state_, facts, outdated.front(), wall_now);
    if (planned.batch_count() == 0) return std::nullopt;  // None of the units runs.
    return planned;
}

/// If this write fails, a later start of keyturnd reports the tokens of these units as unknown.
void DriftWatch::save() {
    static_cast<void>(world_.states.save(policy_.name, state_));
}

void DriftWatch::record_events() {
    for (const Event& event : findings_.take_events()) log_.record(event);
}

}  // namespace keyturn
