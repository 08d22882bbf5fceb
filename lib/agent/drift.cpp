// What an idle tunnel is watched for: a secret that somebody else changed, and connectors that
// nothing here accounts for.

#include "agent/tunnel_agent.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "journal/event_log.hpp"
#include "rotation/preflight.hpp"
#include "state/state_store.hpp"
#include "time/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// So long a token that was taken over counts towards the limit of the heart.
constexpr std::chrono::hours adoptions_span{24};

}  // namespace

/// Asks the shell for something and unpacks its answer.
template <class Asked>
Task<Result<typename Asked::Value>> TunnelAgent::ask(Asked question) {
    const Action action = std::move(question);
    Answer answer = co_await rotator_.perform(action);
    co_return std::move(std::get<Answered<Asked>>(answer).result);
}

/// Where many tunnels are looked at, each has to wait for its turn.
bool TunnelAgent::may_look() {
    const BootTime now = world_.clock.boot_now();
    drift_look_at_ =
        world_.budget.turn_of(ApiBudget::Errand::look, look_turn_, policy_.credential, now);
    return *drift_look_at_ <= now;
}

Task<> TunnelAgent::look_for_drift() {
    drift_look_at_ = world_.clock.boot_now() + policy_.drift.interval;
    const Result<bool> changed = co_await token_was_changed();
    if (!changed) {
        note_drift_problem(changed.error().text);
    } else if (*changed) {
        note_drift_problem("");
        if (!wish_) {
            wish_ = Wish{};
            wish_->trigger = "foreign rotation";
            wish_->takes_over = true;
        }
    } else {
        const auto foreign = co_await foreign_connectors();
        note_drift_problem(foreign ? "" : foreign.error().text);
        if (foreign) tell_foreign(*foreign);
    }
    world_.api.rest();
}

Task<Result<bool>> TunnelAgent::token_was_changed() {
    ReadToken read_token;
    const auto token = co_await ask(std::move(read_token));
    if (!token) co_return token.error();
    if (token->clock_ahead) correct_dates(*token->clock_ahead);
    const Result<Fingerprint> delivered = rotator_.delivered_fingerprint();
    if (!delivered) co_return delivered.error();
    co_return token->fingerprint != *delivered;
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

/// Connectors at the API that are none of our units. Where a unit does not tell its connector, none
/// can be told apart.
Task<Result<std::vector<Connector>>> TunnelAgent::foreign_connectors() {
    ListConnectors list;
    const auto connectors = co_await ask(std::move(list));
    if (!connectors) co_return connectors.error();
    InspectUnits inspect;
    inspect.must_know = false;
    const auto units = co_await ask(std::move(inspect));
    if (!units) co_return units.error();
    SampleUnits sample;
    for (const InspectUnits::Unit& unit : *units) {
        if (!unit.passed_over) sample.names.push_back(unit.name);
    }
    note_units(sample.names);
    const auto samples = co_await ask(std::move(sample));
    if (!samples) co_return samples.error();
    note_proven(proven_, *samples);
    const bool known = std::ranges::all_of(*samples, tells_its_connector);
    if (!known) co_return std::vector<Connector>();
    note_origins(proven_, *connectors);
    co_return keyturn::foreign_connectors(*connectors, *samples);
}

void TunnelAgent::tell_foreign(const std::vector<Connector>& foreign) {
    std::set<std::string> seen;
    for (const Connector& connector : foreign) {
        seen.insert(connector.id);
        // The list of the API is behind: who is seen twice is there.
        const bool news =
            foreign_seen_.contains(connector.id) && !foreign_told_.contains(connector.id);
        if (!news) continue;
        foreign_told_.emplace(connector.id, describe(connector));
        Event event = event_of(EventKind::foreign_connector, Priority::alert);
        event.message = fmt::format(
            "Somebody else runs a connector of {0}: {1} is none of its units. If it is not yours, "
            "`keyturnctl rotate {0} --compromised` shuts it out",
            policy_.name, describe(connector));
        log_.record(event);
    }
    std::erase_if(foreign_told_, [&](const auto& told) { return !seen.contains(told.first); });
    foreign_seen_ = std::move(seen);
}

/// Not knowing is told once, and again when the reason changes.
void TunnelAgent::note_drift_problem(std::string problem) {
    const bool news = !problem.empty() && !say_the_same(problem, drift_problem_);
    drift_problem_ = std::move(problem);
    if (!news) return;
    Event event = event_of(EventKind::drift_unknown, Priority::warning);
    event.message = fmt::format("Cannot tell whether the token of {} is still right: {}",
                                policy_.name, drift_problem_);
    log_.record(event);
}

int TunnelAgent::adoptions_lately() {
    const WallTime now = world_.clock.wall_now();
    std::erase_if(taken_over_, [&](WallTime when) { return when < now - adoptions_span; });
    return static_cast<int>(taken_over_.size());
}

}  // namespace keyturn
