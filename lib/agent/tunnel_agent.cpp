#include "agent/tunnel_agent.hpp"

#include "agent/unit_starts.hpp"
#include "base/invariant.hpp"
#include "clock/clock.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "delivery/token_store.hpp"
#include "journal/event_log.hpp"
#include "schedule/due.hpp"
#include "state/state_store.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// How long the daemon waits before it tries again to write a token file that does not exist yet.
constexpr Milliseconds seed_pause = std::chrono::minutes{1};

/// No host saw its first keyturn before this. A clock that says so has not been set yet.
constexpr WallTime clock_was_set{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};

/// So many of the last rotations tell how long one takes.
constexpr std::size_t durations_looked_at = 5;

/// Of the routine rotations that were done. The one in the middle: one that was held for days says
/// nothing of the next.
std::optional<Milliseconds> median_duration(const std::vector<HistoryEntry>& history) {
    std::vector<Milliseconds> durations;
    for (const HistoryEntry& entry : history) {
        const Milliseconds took = entry.ended - entry.started;
        const bool routine =
            entry.outcome == Outcome::done && !entry.trigger.starts_with("compromised");
        // The wall clock may have been set back meanwhile.
        if (routine && took >= Milliseconds{0}) durations.push_back(took);
    }
    if (durations.empty()) return std::nullopt;
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>((durations.size() - 1) / 2);
    std::ranges::nth_element(durations, middle);
    return *middle;
}

}  // namespace

TunnelAgent::TunnelAgent(boost::asio::any_io_executor executor, TunnelPolicy policy,
                         double splay_share, Dependencies world, EventLog& log,
                         std::function<void(const TunnelAgent&)> changed)
    : policy_(std::move(policy)),
      splay_share_(splay_share),
      world_(world),
      log_(log),
      changed_(std::move(changed)),
      executor_(policy_, state_, world_),
      wakeup_(std::move(executor)),
      units_(policy_.units) {}

void TunnelAgent::load() {
    const auto loaded = world_.states.load(policy_.name);
    if (!loaded) {
        unreadable_ = loaded.error().text;
        Event event = event_of(EventKind::state_unreadable, Priority::alert);
        event.message = fmt::format("The state of {} cannot be trusted, so it is not rotated: {}",
                                    policy_.name, unreadable_);
        event.result = "held";
        log_.record(event);
        return;
    }
    if (*loaded) {
        state_ = **loaded;
    }
    note_first_seen();
    // A crash while the token file was being written: no open rotation will clear that away.
    if (!state_.rotation) world_.tokens.sweep(policy_.name, "");
    recall_last();
    plan_next();
}

void TunnelAgent::recall_last() {
    const auto history = world_.states.history(policy_.name, durations_looked_at);
    if (!history || history->empty()) return;
    last_ = history->back();
    usual_ = median_duration(*history);
    proven_.clear();
    for (const UnitProgress& unit : last_->units) {
        if (unit.connector_after.empty()) continue;
        proven_.push_back({unit.name, unit.invocation_after, unit.connector_after, ""});
    }
    if (!state_.delivered.empty() || state_.rotation) return;
    // The state was lost, or is from an earlier version.
    for (const HistoryEntry& entry : *history) note_end_of_rotation(state_, entry);
}

/// Also for a clock that is set only after a boot.
void TunnelAgent::note_first_seen() {
    const WallTime now = world_.clock.wall_now();
    if (state_.first_seen >= clock_was_set) return;
    if (state_.first_seen != WallTime{} && now < clock_was_set) return;
    state_.first_seen = now;
    // Losing this costs nothing but age: it is written again with the next record.
    static_cast<void>(world_.states.save(policy_.name, state_));
}

Task<> TunnelAgent::run() {
    publish();
    if (!unreadable_.empty()) co_return;
    if (state_.rotation) {
        RotationInputs inputs;
        inputs.record = state_.rotation;
        co_await rotate(std::move(inputs));
    }
    for (;;) {
        if (strangers_wanted_) co_await look_for_strangers();
        co_await prepare_token_file();
        co_await wait_until_wanted();
        const Wish wish = *std::exchange(wish_, std::nullopt);
        if (wish.planned) {
            co_await bring_onto_token(*wish.planned);
            continue;
        }
        RotationInputs inputs = inputs_for(wish);
        co_await rotate(std::move(inputs));
    }
}

RotationInputs TunnelAgent::inputs_for(const Wish& wish) {
    RotationInputs inputs;
    inputs.trigger = wish.trigger;
    inputs.scheduled = wish.scheduled;
    inputs.accept_gap = wish.accept_gap;
    inputs.takes_over = wish.takes_over;
    if (wish.takes_over) inputs.adoptions = adoptions_lately();
    inputs.compromised = wish.compromised;
    inputs.evict_all = wish.evict_all;
    if (wish.compromised) inputs.superseded = executor_.kept_rotation();
    return inputs;
}

/// With `store: keyturn` the units can only start once the token file is there.
Task<> TunnelAgent::prepare_token_file() {
    for (;;) {
        const auto seeded = co_await executor_.seed_token_file();
        note_token_file(seeded ? "" : seeded.error().text);
        if (seeded) break;
        const BootTime next = world_.clock.boot_now() + seed_pause;
        co_await idle_until(next);
        if (wish_) co_return;  // Preflight will say in full what is wrong.
    }
    world_.api.rest();
}

void TunnelAgent::note_token_file(std::string problem) {
    const bool news = !problem.empty() && !say_the_same(problem, token_file_problem_);
    token_file_problem_ = std::move(problem);
    if (news) {
        Event event = event_of(EventKind::token_file_missing, Priority::error);
        event.message =
            fmt::format("The token file of {} is not there and cannot be written yet: {}",
                        policy_.name, token_file_problem_);
        event.result = "waiting";
        log_.record(event);
    }
    publish();
}

Task<> TunnelAgent::wait_until_wanted() {
    while (!wish_) {
        note_first_seen();
        const bool postponed = postponed_until_ && world_.clock.boot_now() < postponement_ends_;
        if (!postponed) postponed_until_.reset();
        plan_next();
        if (!state_.paused) tell_postponement();
        publish();
        const std::optional<WallTime> when = start();
        const WallTime now = world_.clock.wall_now();
        if (when && *when <= now && !state_.paused) {
            if (!may_start()) continue;
            wish_ = Wish{};
            wish_->trigger = "schedule";
            wish_->scheduled = true;
            break;
        }
        const BootTime drift_look = drift_look_at_.value_or(BootTime{});
        if (drift_look <= world_.clock.boot_now()) {
            if (may_look()) co_await look_for_drift();
            continue;
        }
        const BootTime units_look = units_look_at_.value_or(drift_look);
        if (units_look <= world_.clock.boot_now()) {
            co_await watch_units();
            continue;
        }
        // Where the wall clock is set meanwhile, `wall_clock_set` ends this.
        BootTime until = std::min(drift_look, units_look);
        const std::optional<WallTime> moment = next_moment();
        if (moment && !state_.paused) {
            until = std::min(until, world_.clock.boot_now() + (*moment - now));
            if (postponed) until = std::min(until, postponement_ends_);
        }
        co_await idle_until(until);
    }
    postponed_until_.reset();
}

/// What is due shares Cloudflare's calls with all other tunnels; what an operator asks for does not
/// wait for a turn.
bool TunnelAgent::may_start() {
    const BootTime now = world_.clock.boot_now();
    const BootTime turn =
        world_.budget.turn_of(ApiBudget::Errand::start, start_turn_, policy_.credential, now);
    if (turn <= now) return true;
    postponed_until_ = world_.clock.wall_now() + (turn - now);
    postponement_ends_ = turn;
    return false;
}

Task<> TunnelAgent::idle_until(BootTime when) {
    using namespace boost::asio::experimental::awaitable_operators;
    co_await (world_.clock.sleep_until(when) || wakeup_.wait());
}

Task<> TunnelAgent::rotate(RotationInputs inputs) {
    for (;;) {
        begin(std::move(inputs));
        // No co_await in the condition: where a function has no other variable, g++ 12 puts that
        // one at the front of the coroutine's frame, where its address of resumption belongs.
        bool more = true;
        while (more) more = co_await perform_next();
        if (!retry_wanted_) break;
        // A retry is a new start from the record, with the hold taken off.
        retry_wanted_ = false;
        inputs = RotationInputs();
        inputs.record = rotation_->record();
        inputs.retried = true;
        inputs.acknowledged_unit = inputs.record->hold->unit;
        inputs.record->hold.reset();
    }
    note_end();
}

void TunnelAgent::begin(RotationInputs inputs) {
    inputs.policy = policy_;
    inputs.proven = proven_;
    inputs.retired = state_.retired;
    inputs.paused = state_.paused.has_value();
    rotation_ = std::make_unique<Rotation>(std::move(inputs), world_.clock.boot_now(),
                                           world_.clock.wall_now());
}

bool TunnelAgent::takes_a_new_policy() const {
    if (idle()) return true;
    if (!rotation_ || !rotation_->record().compromised || wish_) return false;
    const RotationState state = rotation_->view().state;
    return state == RotationState::held || state == RotationState::waiting;
}

/// One that was given up for a compromise has not ended: its record is still there.
void TunnelAgent::note_end() {
    if (rotation_->ended()) learn_from_end();
    lock_out_ = rotation_->view().lock_out;
    rotation_.reset();
    plan_next();
    publish();
}

void TunnelAgent::learn_from_end() {
    recall_last();
    if (last_) note_end_of_rotation(state_, *last_);
    // Where this fails, the tokens of these units are unknown after a restart, and no more.
    static_cast<void>(world_.states.save(policy_.name, state_));
    std::vector<std::string> units;
    for (const UnitProgress& unit : rotation_->record().units) {
        if (!unit.surge) units.push_back(unit.name);
    }
    note_units(std::move(units));
    const bool done = rotation_->view().state == RotationState::done;
    // It has just been seen; an answer of the API that is behind would look like a stranger's.
    if (done) drift_look_at_ = world_.clock.boot_now() + policy_.drift.interval;
    strangers_wanted_ = done;
    const bool foreign = rotation_->record().trigger != trigger_for_outdated;
    if (done && foreign && rotation_->record().ends_on_foreign_token()) {
        taken_over_.push_back(world_.clock.wall_now());
    }
    if (rotation_->record().scheduled && rotation_->view().state == RotationState::refused) {
        postponed_until_ = world_.clock.wall_now() + refusal_pause;
        postponement_ends_ = world_.clock.boot_now() + refusal_pause;
    }
}

/// Performs one action; false when the rotation has ended, is to be begun anew, or is to be given
/// up for a compromise.
Task<bool> TunnelAgent::perform_next() {
    // Between Cloudflare's answer and the new token file nothing is done, telling included.
    const bool urgent =
        !rotation_->ended() && std::holds_alternative<DeliverToken>(rotation_->action());
    if (!urgent) {
        for (const Event& event : rotation_->take_events()) log_.record(event);
    }
    // Its end is published by `rotate`, together with what came of it.
    if (rotation_->ended()) co_return false;
    if (!urgent) publish();
    const bool held = rotation_->view().state == RotationState::held;
    if ((held && retry_wanted_) || (superseded() && !urgent)) co_return false;
    const Wait* wait = std::get_if<Wait>(&rotation_->action());
    Answer answer = Answered<Wait>();
    if (wait != nullptr) {
        // An operator's word ends it early; the rotation itself knows whether to go on waiting.
        const BootTime until = wait->until;
        co_await idle_until(until);
        if ((held && retry_wanted_) || superseded()) co_return false;
    } else {
        const Action action = rotation_->action();
        answer = co_await executor_.perform(action);
    }
    rotation_->answer(std::move(answer), world_.clock.boot_now(), world_.clock.wall_now());
    co_return true;
}

}  // namespace keyturn
