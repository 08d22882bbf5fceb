#include "agent/tunnel_agent.hpp"

#include "agent/unit_starts.hpp"
#include "clock/clock.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "delivery/token_store.hpp"
#include "journal/event_log.hpp"
#include "state/state_store.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// Between two attempts to write a token file that does not exist yet.
constexpr Milliseconds seed_pause = std::chrono::minutes{1};

/// keyturn is younger than this. A clock that shows an earlier time has not been set yet.
constexpr WallTime clock_was_set{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};

/// How many of the last rotations the usual duration is computed from.
constexpr std::size_t durations_looked_at = 5;

}  // namespace

std::unique_ptr<Executor> make_local_executor(const TunnelPolicy& policy, TunnelState& state,
                                              Dependencies world) {
    return std::make_unique<RotationExecutor>(policy, state, world);
}

TunnelAgent::TunnelAgent(const boost::asio::any_io_executor& executor, TunnelPolicy policy,
                         double splay_share, Dependencies world, EventLog& log,
                         std::function<void(const TunnelAgent&)> changed,
                         const MakeExecutor& make_executor)
    : policy_(std::move(policy)),
      world_(world),
      log_(log),
      changed_(std::move(changed)),
      executor_(make_executor(policy_, state_, world_)),
      wakeup_(executor),
      planner_(policy_, splay_share),
      watch_(policy_, state_, *executor_, world_, log_) {}

void TunnelAgent::load() {
    const auto loaded = world_.states.load(policy_.name);
    if (!loaded) {
        unreadable_ = loaded.error().text;
        tell(EventKind::state_unreadable, Priority::alert,
             fmt::format("The recorded state of {} cannot be trusted, so keyturnd does not rotate "
                         "this tunnel: {}",
                         policy_.name, unreadable_),
             "held");
        return;
    }
    if (*loaded) state_ = **loaded;
    note_first_seen();
    recall_last();
    look_at_clock();
}

void TunnelAgent::recall_last() {
    const auto history = world_.states.history(policy_.name, durations_looked_at);
    if (!history || history->empty()) return;
    last_ = history->back();
    planner_.recall(*history);
    watch_.rotation_ended(*last_);
    if (!state_.delivered.empty() || state_.rotation) return;
    // The state was lost or is from an earlier version: rebuild it from the history.
    for (const HistoryEntry& entry : *history) note_end_of_rotation(state_, entry);
}

/// Corrects the date if the clock was set only some time after the boot.
void TunnelAgent::note_first_seen() {
    const WallTime now = world_.clock.wall_now();
    if (state_.first_seen >= clock_was_set) return;
    if (state_.first_seen != WallTime{} && now < clock_was_set) return;
    state_.first_seen = now;
    // If this write fails, only the age is lost: it is written again with the next record.
    static_cast<void>(world_.states.save(policy_.name, state_));
}

Task<> TunnelAgent::run() {
    publish();
    if (!unreadable_.empty()) co_return;
    if (state_.rotation) co_await go_on();
    for (;;) {
        if (std::exchange(strangers_wanted_, false)) co_await watch_.look_for_strangers();
        co_await prepare_token_file();
        co_await wait_until_wanted();
        co_await do_what_is_wanted();
    }
}

// What a rotation needs is in the frames of its own functions. The frame of `run` exists always, a
// thousand times on a host with a thousand tunnels.

/// Finishes the rotation that the last keyturnd left open.
Task<> TunnelAgent::go_on() {
    RotationInputs inputs;
    inputs.record = state_.rotation;
    co_await rotate(std::move(inputs));
}

Task<> TunnelAgent::do_what_is_wanted() {
    if (accepted_) {
        const RotationRequest request = *std::exchange(accepted_, std::nullopt);
        RotationInputs inputs = inputs_for(request);
        co_await rotate(std::move(inputs));
    } else {
        RotationRecord planned = std::move(*std::exchange(bring_back_, nullptr));
        co_await bring_onto_token(std::move(planned));
    }
}

/// With `store: keyturn` the units can only start once the token file is there.
Task<> TunnelAgent::prepare_token_file() {
    for (;;) {
        const auto seeded = co_await executor_->seed_token_file();
        note_token_file(seeded ? "" : seeded.error().text);
        if (seeded) break;
        const BootTime next = world_.clock.boot_now() + seed_pause;
        co_await idle_until(next);
        if (!nothing_wanted()) co_return;  // Preflight reports every problem.
    }
    world_.api.close_idle();
}

void TunnelAgent::note_token_file(std::string problem) {
    const bool news = !problem.empty() && !say_the_same(problem, token_file_problem_);
    token_file_problem_ = std::move(problem);
    if (news) {
        tell(
            EventKind::token_file_missing, Priority::error,
            fmt::format("The token file of {} does not exist, and keyturnd cannot write it yet: {}",
                        policy_.name, token_file_problem_),
            "waiting");
    }
    publish();
}

/// Returns when a rotation must start. Meanwhile it looks for drift.
Task<> TunnelAgent::wait_until_wanted() {
    while (nothing_wanted()) {
        note_first_seen();
        look_at_clock();
        const WallTime now = world_.clock.wall_now();
        if (!state_.paused) {
            if (const auto postponed = planner_.take_postponement(now)) log_.record(*postponed);
        }
        publish();
        const std::optional<WallTime> start = planner_.start();
        if (start && *start <= now && !state_.paused) {
            if (!slot_is_here(ApiBudget::Use::start)) continue;
            accepted_ = RotationRequest{.trigger = "schedule", .scheduled = true};
            break;
        }
        const BootTime boot_now = world_.clock.boot_now();
        if (watch_.times().cloudflare() <= boot_now) {
            if (slot_is_here(ApiBudget::Use::look)) co_await look_for_drift();
            continue;
        }
        if (watch_.times().units() <= boot_now) {
            co_await watch_.look_at_units();
            continue;
        }
        // If somebody sets the wall clock meanwhile, `wall_clock_set` ends this wait.
        BootTime until = std::min(watch_.times().cloudflare(), watch_.times().units());
        const std::optional<BootTime> wake_up = planner_.wake_up(now, boot_now);
        if (wake_up && !state_.paused) until = std::min(until, *wake_up);
        co_await idle_until(until);
    }
    planner_.end_postponement();
}

/// Scheduled work shares the API budget with all other tunnels. Operators' requests do not wait for
/// a slot. If the slot is later, this postpones the check or the start until then.
bool TunnelAgent::slot_is_here(ApiBudget::Use use) {
    const BootTime now = world_.clock.boot_now();
    const bool look = use == ApiBudget::Use::look;
    ApiBudget::Slot& slot = look ? look_slot_ : start_slot_;
    const BootTime at = world_.budget.slot_for(use, slot, policy_.credential, now);
    if (look) watch_.times().wait_for_slot(at);
    if (!look && at > now) planner_.postpone(at - now, world_.clock.wall_now(), now);
    return at <= now;
}

Task<> TunnelAgent::look_for_drift() {
    const bool scheduled = planner_.next().has_value();
    Drift drift = co_await watch_.look(scheduled);
    if (!nothing_wanted()) co_return;  // An operator's request came first.
    accepted_ = std::move(drift.take_over);
    if (drift.bring_back) {
        bring_back_ = std::make_unique<RotationRecord>(std::move(*drift.bring_back));
    }
}

Task<> TunnelAgent::idle_until(BootTime when) {
    using namespace boost::asio::experimental::awaitable_operators;
    co_await (world_.clock.sleep_until(when) || wakeup_.wait());
}

void TunnelAgent::look_at_clock() {
    planner_.look(state_, watch_.units().size(), world_.clock.wall_now(), world_.clock.boot_now());
}

void TunnelAgent::unit_job_ended(const std::string& unit) {
    const std::vector<std::string>& units = watch_.units();
    if (rotation_ || std::ranges::find(units, unit) == units.end()) return;
    if (watch_.times().unit_job_ended(world_.clock.boot_now())) wakeup_.wake();
}

TunnelPlan TunnelAgent::plan(std::size_t count) const {
    return planner_.plan(state_, watch_.units(), world_.clock.wall_now(), count);
}

AgentView TunnelAgent::view() const {
    return {policy_,
            state_,
            planner_,
            watch_.findings(),
            rotation_.get(),
            accepted_,
            bring_back_ != nullptr,
            last_,
            lock_out_,
            unreadable_,
            token_file_problem_,
            watch_.samples(),
            watch_.checks(),
            world_.clock.wall_now()};
}

void TunnelAgent::publish() {
    TunnelStatus now = status();
    if (published_ && *published_ == now) return;
    published_ = std::move(now);
    if (changed_) changed_(*this);
}

void TunnelAgent::tell(EventKind kind, Priority priority, std::string message, std::string result) {
    Event event{kind, priority, std::move(message), policy_.name, policy_.tunnel};
    event.result = std::move(result);
    if (rotation_) {
        event.rotation_id = rotation_->record().rotation_id;
        event.phase = name_of(rotation_->record().phase);
    }
    log_.record(event);
}

}  // namespace keyturn
