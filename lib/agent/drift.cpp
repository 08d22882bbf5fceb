// What an idle tunnel is watched for: a secret that somebody else changed, and connectors that
// nothing here accounts for.

#include "agent/asking.hpp"
#include "agent/tunnel_agent.hpp"
#include "clock/clock.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "journal/event_log.hpp"
#include "rotation/preflight.hpp"
#include "state/state_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// So long a token that was taken over counts towards the limit of the heart.
constexpr std::chrono::hours adoptions_span{24};

/// How often the pause after a look that failed doubles. Longer than `drift.interval` it never is.
constexpr int pause_doublings_max = 6;

}  // namespace

/// Where many tunnels are looked at, each has to wait for its turn.
bool TunnelAgent::may_look() {
    const BootTime now = world_.clock.boot_now();
    drift_look_at_ =
        world_.budget.turn_of(ApiBudget::Errand::look, look_turn_, policy_.credential, now);
    return *drift_look_at_ <= now;
}

/// Something is not as it was. Where it happens again and again, once in a while is enough.
void TunnelAgent::look_soon() {
    const BootTime now = world_.clock.boot_now();
    const BootTime soon = out_of_turn_ ? std::max(now, *out_of_turn_ + look_pause) : now;
    if (drift_look_at_ && *drift_look_at_ <= soon) return;
    drift_look_at_ = soon;
    out_of_turn_ = soon;
}

/// What was found may pass by itself.
void TunnelAgent::look_again(Milliseconds pause) {
    const BootTime again = world_.clock.boot_now() + pause;
    drift_look_at_ = std::min(drift_look_at_.value_or(again), again);
}

/// A look that told nothing is repeated sooner than the next one is due: after a minute at first.
Milliseconds TunnelAgent::pause_after_failure(const Error& error) const {
    const int doublings = std::min(failed_looks_ - 1, pause_doublings_max);
    const Milliseconds pause = look_pause * (1 << doublings);
    const Milliseconds asked = error.retry_after;
    return std::max(pause, asked);
}

Task<> TunnelAgent::look_for_drift() {
    const BootTime now = world_.clock.boot_now();
    drift_look_at_ = now + policy_.drift.interval;
    units_look_at_ = now + policy_.drift.units_interval;
    const Result<void> looked = co_await look();
    note_drift_problem(looked ? "" : looked.error().text);
    failed_looks_ = looked ? 0 : failed_looks_ + 1;
    if (!looked) look_again(pause_after_failure(looked.error()));
    world_.api.rest();
}

Task<Result<void>> TunnelAgent::look() {
    PreflightFacts facts;
    ReadToken read_token;
    const auto token = co_await ask(std::move(read_token));
    if (!token) co_return token.error();
    facts.token = *token;
    if (token->clock_ahead) correct_dates(*token->clock_ahead);
    const Result<Fingerprint> file = executor_.delivered_fingerprint();
    if (!file) co_return file.error();
    bool unchanged = *file == state_.delivered;
    if (token->fingerprint != *file) {
        const auto mended = co_await mend_token_file(token->fingerprint, *file);
        if (!mended) co_return mended.error();
        if (!*mended) co_return Result<void>();
        unchanged = false;
    }
    const auto looked = co_await look_at_units(facts);
    if (!looked) co_return looked.error();
    ListConnectors list;
    const auto connectors = co_await ask(std::move(list));
    if (!connectors) co_return connectors.error();
    facts.connectors = *connectors;
    std::vector<std::string> problems;
    CheckFiles check;
    const auto files = co_await ask(std::move(check));
    if (files) facts.files = *files;
    if (!files) problems.push_back("the token file cannot be replaced: " + files.error().text);
    SampleUnits::Value own;
    for (std::size_t i = 0; i < facts.units.size(); ++i) {
        if (!facts.units[i].surge) own.push_back(facts.samples[i]);
    }
    note_token(token->fingerprint, own, unchanged);
    note_samples(own);
    note_proven(proven_, facts.samples);
    if (std::ranges::all_of(facts.samples, tells_its_connector)) {
        note_origins(proven_, facts.connectors);
    }
    tell_foreign(take_foreign(facts));
    note_problems(judge(facts, std::move(problems)));
    act_on_outdated(facts);
    co_return Result<void>();
}

/// The API and the file disagree. Whoever changed the one has not changed the other: false where it
/// was the API, and the units have to follow.
Task<Result<bool>> TunnelAgent::mend_token_file(Fingerprint api, Fingerprint file) {
    const bool file_alone = state_.delivered.empty() ? file.empty() : api == state_.delivered;
    if (!file_alone) {
        if (!wish_) {
            wish_ = Wish{};
            wish_->trigger = "foreign rotation";
            wish_->takes_over = true;
        }
        co_return false;
    }
    const auto delivered = co_await executor_.deliver_again(api);
    if (!delivered) {
        co_return with_context("the token file does not hold its token and cannot be written",
                               delivered.error());
    }
    Event event = event_of(EventKind::token_file_changed, Priority::error);
    event.fingerprint = api;
    event.message = fmt::format(
        "The token file of {} {}, and Cloudflare still holds the token {}: keyturnd has written "
        "that again, and restarts nothing",
        policy_.name, file.empty() ? "was gone or held no token" : "held the token " + file, api);
    log_.record(event);
    co_return true;
}

Task<Result<void>> TunnelAgent::look_at_units(PreflightFacts& facts) {
    InspectUnits inspect;
    inspect.must_know = false;
    auto units = co_await ask(std::move(inspect));
    if (!units) co_return units.error();
    facts.take_units(std::move(*units));
    SampleUnits sample;
    for (const InspectUnits::Unit& unit : facts.units) sample.names.push_back(unit.name);
    auto samples = co_await ask(std::move(sample));
    if (!samples) co_return samples.error();
    facts.samples = std::move(*samples);
    std::vector<std::string> own;
    for (const InspectUnits::Unit& unit : facts.units) {
        if (!unit.surge) own.push_back(unit.name);
    }
    note_units(std::move(own));
    co_return Result<void>();
}

/// Dates that are still to come by the API's clock were written while ours was wrong. Left as they
/// are, they could put the next rotation off for years.
void TunnelAgent::correct_dates(Milliseconds clock_ahead) {
    const WallTime now = world_.clock.wall_now() - clock_ahead;
    const auto lies_ahead = [&](WallTime date) { return date > now + clock_error_max; };
    const bool first_seen = lies_ahead(state_.first_seen);
    const bool last_done = state_.last_done && lies_ahead(*state_.last_done);
    if (first_seen) state_.first_seen = now;
    if (last_done) state_.last_done = now;
    if (first_seen || last_done) static_cast<void>(world_.states.save(policy_.name, state_));
}

/// Takes the connectors at the API that are none of our units out of the facts: they are told of by
/// themselves. Where a unit does not tell its connector, none can be told apart.
std::vector<Connector> TunnelAgent::take_foreign(PreflightFacts& facts) const {
    if (!std::ranges::all_of(facts.samples, tells_its_connector)) return {};
    std::vector<Connector> foreign = foreign_connectors(facts.connectors, facts.samples);
    std::erase_if(facts.connectors, [&](const Connector& connector) {
        return std::ranges::find(foreign, connector.id, &Connector::id) != foreign.end();
    });
    return foreign;
}

/// The end of a rotation: who has taken its new token, and who is left with the old one?
Task<> TunnelAgent::look_for_strangers() {
    strangers_wanted_ = false;
    PreflightFacts facts;
    const auto looked = co_await look_at_units(facts);
    if (!looked) co_return;  // The next look at Cloudflare says so.
    ListConnectors list;
    const auto connectors = co_await ask(std::move(list));
    world_.api.rest();
    if (!connectors) co_return;
    facts.connectors = *connectors;
    tell_foreign(take_foreign(facts));
}

void TunnelAgent::tell_foreign(const std::vector<Connector>& foreign) {
    std::set<std::string> seen;
    for (const Connector& connector : foreign) {
        seen.insert(connector.id);
        if (!foreign_seen_.contains(connector.id)) look_again();
        // The list of the API is behind: who is seen twice is there.
        const bool news =
            foreign_seen_.contains(connector.id) && !foreign_told_.contains(connector.id);
        if (!news) continue;
        foreign_told_.emplace(connector.id, describe(connector));
        tell(EventKind::foreign_connector, Priority::alert,
             fmt::format("Somebody else runs a connector of {0}: {1} is none of its units. If it "
                         "is not yours, `keyturnctl rotate {0} --compromised` shuts it out",
                         policy_.name, describe(connector)));
    }
    for (const auto& [id, described] : foreign_told_) {
        if (seen.contains(id)) continue;
        tell(EventKind::finding_ended, Priority::notice,
             fmt::format("The foreign connector of {} is gone: {}", policy_.name, described));
    }
    std::erase_if(foreign_told_, [&](const auto& told) { return !seen.contains(told.first); });
    foreign_seen_ = std::move(seen);
}

/// Not knowing is told once, again when the reason changes, and once when it ends.
void TunnelAgent::note_drift_problem(std::string problem) {
    const bool news = !problem.empty() && !say_the_same(problem, drift_problem_);
    if (problem.empty() && !drift_problem_.empty()) {
        tell(EventKind::finding_ended, Priority::notice,
             fmt::format("keyturnd can check the token of {} again. What prevented it: {}",
                         policy_.name, drift_problem_));
    }
    drift_problem_ = std::move(problem);
    if (!news) return;
    tell(EventKind::drift_unknown, Priority::warning,
         fmt::format("Cannot tell whether the token of {} is still right: {}", policy_.name,
                     drift_problem_));
}

int TunnelAgent::adoptions_lately() {
    const WallTime now = world_.clock.wall_now();
    std::erase_if(taken_over_, [&](WallTime when) { return when < now - adoptions_span; });
    return static_cast<int>(taken_over_.size());
}

}  // namespace keyturn
