#include "agent/tunnel_agent.hpp"

#include "base/invariant.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "journal/event_log.hpp"
#include "schedule/due.hpp"
#include "state/state_store.hpp"
#include "time/clock.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// How long the daemon waits before it tries again to write a token file that does not exist yet.
constexpr Milliseconds seed_pause = std::chrono::minutes{1};

/// How long the daemon sleeps at most before it looks at the calendar again.
constexpr Milliseconds recompute_interval = std::chrono::hours{1};

/// No host saw its first keyturn before this. A clock that says so has not been set yet.
constexpr WallTime clock_was_set{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};

}  // namespace

TunnelAgent::TunnelAgent(boost::asio::any_io_executor executor, TunnelPolicy policy,
                         Boundaries world, EventLog& log,
                         std::function<void(const TunnelAgent&)> changed)
    : policy_(std::move(policy)),
      world_(world),
      log_(log),
      changed_(std::move(changed)),
      rotator_(policy_, state_, world_),
      wakeup_(std::move(executor)) {}

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
    if (state_.first_seen < clock_was_set) {
        state_.first_seen = world_.clock.wall_now();
        // Losing this costs nothing but age: it is written again with the next record.
        static_cast<void>(world_.states.save(policy_.name, state_));
    }
    const auto history = world_.states.history(policy_.name, 1);
    if (history && !history->empty()) last_ = history->back();
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
        co_await prepare_token_file();
        co_await wait_until_wanted();
        const Wish wish = *std::exchange(wish_, std::nullopt);
        RotationInputs inputs;
        inputs.trigger = wish.trigger;
        inputs.scheduled = wish.scheduled;
        inputs.accept_gap = wish.accept_gap;
        inputs.takes_over = wish.takes_over;
        if (wish.takes_over) inputs.adoptions = adoptions_lately();
        co_await rotate(std::move(inputs));
    }
}

/// With `store: keyturn` the units can only start once the token file is there.
Task<> TunnelAgent::prepare_token_file() {
    for (;;) {
        const auto seeded = co_await rotator_.seed_token_file();
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
        publish();
        const std::optional<WallTime> when = due();
        const WallTime now = world_.clock.wall_now();
        if (when && *when <= now) {
            wish_ = Wish{"schedule", true, false, false};
            break;
        }
        const BootTime drift_look = drift_look_at_.value_or(BootTime{});
        if (drift_look <= world_.clock.boot_now()) {
            co_await look_for_drift();
            continue;
        }
        // The wall clock may be set meanwhile, by hours or, after a boot without one, by decades.
        BootTime until = drift_look;
        if (when) {
            const Milliseconds wait = std::min<Milliseconds>(*when - now, recompute_interval);
            until = std::min(until, world_.clock.boot_now() + wait);
        }
        co_await idle_until(until);
    }
    postponed_until_.reset();
}

Task<> TunnelAgent::idle_until(BootTime when) {
    using namespace boost::asio::experimental::awaitable_operators;
    co_await (world_.clock.sleep_until(when) || wakeup_.wait());
}

Task<> TunnelAgent::rotate(RotationInputs inputs) {
    inputs.policy = policy_;
    inputs.retired = state_.retired;
    for (;;) {
        rotation_ = std::make_unique<Rotation>(std::move(inputs), world_.clock.boot_now(),
                                               world_.clock.wall_now());
        while (co_await perform_next()) {
        }
        if (!retry_wanted_) break;
        // A retry is a new start from the record, with the hold taken off.
        retry_wanted_ = false;
        inputs = RotationInputs{};
        inputs.policy = policy_;
        inputs.record = rotation_->record();
        inputs.retried = true;
        inputs.acknowledged_unit = inputs.record->hold->unit;
        inputs.record->hold.reset();
        inputs.retired = state_.retired;
    }
    const auto history = world_.states.history(policy_.name, 1);
    if (history && !history->empty()) last_ = history->back();
    const bool done = rotation_->view().state == RotationState::done;
    // It has just been seen; an answer of the API that is behind would look like a stranger's.
    if (done) drift_look_at_ = world_.clock.boot_now() + policy_.drift.interval;
    if (done && rotation_->record().ends_on_foreign_token()) {
        taken_over_.push_back(world_.clock.wall_now());
    }
    if (rotation_->record().scheduled && rotation_->view().state == RotationState::refused) {
        postponed_until_ = world_.clock.wall_now() + refusal_pause;
    }
    rotation_.reset();
    publish();
}

/// Performs one action; false when the rotation has ended or is to be begun anew.
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
    if (held && retry_wanted_) co_return false;
    const Action action = rotation_->action();
    if (const Wait* wait = std::get_if<Wait>(&action); wait != nullptr && held) {
        co_await idle_until(wait->until);
        if (retry_wanted_) co_return false;
        const Answered<Wait> waited;
        rotation_->answer(waited, world_.clock.boot_now(), world_.clock.wall_now());
        co_return true;
    }
    Answer answer = co_await rotator_.perform(action);
    rotation_->answer(std::move(answer), world_.clock.boot_now(), world_.clock.wall_now());
    co_return true;
}

Result<void> TunnelAgent::request_rotation(const RotateRequest& request) {
    if (!unreadable_.empty()) {
        return Error{Fault::denied, "its state cannot be trusted: " + unreadable_, {}};
    }
    if (rotation_ || wish_ || state_.rotation) {
        return Error{Fault::conflict,
                     fmt::format("a rotation of {} is open already; see `keyturnctl status {}`",
                                 policy_.name, policy_.name),
                     {}};
    }
    const WallTime now = world_.clock.wall_now();
    const Milliseconds interval = policy_.rotate.min_interval;
    if (state_.last_done && now < *state_.last_done + interval) {
        return Error{Fault::denied,
                     fmt::format("{} was rotated {} ago, and `min_interval` is {}", policy_.name,
                                 to_text(Milliseconds{now - *state_.last_done}), to_text(interval)),
                     {}};
    }
    wish_ = Wish{request.reason.empty() ? "operator" : request.reason, false, request.accept_gap,
                 false};
    wakeup_.wake();
    return {};
}

Result<void> TunnelAgent::request_retry() {
    const bool held = rotation_ && rotation_->view().state == RotationState::held;
    if (!held) {
        return Error{Fault::conflict, fmt::format("{} is not held", policy_.name), {}};
    }
    Event event = event_of(EventKind::hold_lifted, Priority::notice);
    event.message = fmt::format("An operator retries the rotation of {}", policy_.name);
    event.rotation_id = rotation_->record().rotation_id;
    event.phase = name_of(rotation_->record().phase);
    log_.record(event);
    retry_wanted_ = true;
    wakeup_.wake();
    return {};
}

Event TunnelAgent::event_of(EventKind kind, Priority priority) const {
    Event event;
    event.kind = kind;
    event.priority = priority;
    event.tunnel_name = policy_.name;
    event.tunnel_id = policy_.tunnel;
    return event;
}

void TunnelAgent::publish() {
    TunnelStatus now = status();
    if (published_ && *published_ == now) return;
    published_ = std::move(now);
    if (changed_) changed_(*this);
}

std::optional<WallTime> TunnelAgent::due() const {
    const auto when = next_due(policy_.rotate, state_.first_seen, state_.last_done);
    if (!when || !postponed_until_) return when;
    return std::max(*when, *postponed_until_);
}

}  // namespace keyturn
