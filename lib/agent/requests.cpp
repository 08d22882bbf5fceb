// What operators ask of a tunnel. Each answers at once: facts are set, and the loop is woken.

#include "agent/tunnel_agent.hpp"
#include "clock/clock.hpp"
#include "journal/event_log.hpp"
#include "state/state_store.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

Result<void> TunnelAgent::request_rotation(const RotateRequest& request) {
    if (!unreadable_.empty()) {
        return Error{Fault::denied, "its state cannot be trusted: " + unreadable_, {}};
    }
    if (request.compromised) return supersede(request);
    if (request.evict_all) {
        return Error{Fault::invalid,
                     "dropping all connections (`--evict-all`) goes only with `--compromised`",
                     {}};
    }
    if (state_.paused) {
        return Error{Fault::denied,
                     fmt::format("{} is paused; `keyturnctl resume {}` ends that", policy_.name,
                                 policy_.name),
                     {}};
    }
    if (rotation_ || wish_ || state_.rotation) {
        return Error{Fault::conflict,
                     fmt::format("a rotation of {} is open already; see `keyturnctl status {}`",
                                 policy_.name, policy_.name),
                     {}};
    }
    const WallTime now = world_.clock.wall_now();
    const Milliseconds interval = policy_.schedule.min_interval;
    if (state_.last_done && now < *state_.last_done + interval) {
        return Error{Fault::denied,
                     fmt::format("{0} was rotated {1} ago, and `min_interval` is {2}: it can be "
                                 "rotated from {3} on (in {4}), or sooner with a lower "
                                 "`min_interval` in the policy. A token in wrong hands does not "
                                 "wait: `keyturnctl rotate {0} --compromised`",
                                 policy_.name, to_text(Milliseconds{now - *state_.last_done}),
                                 to_text(interval), to_text(*state_.last_done + interval),
                                 to_text(Milliseconds{*state_.last_done + interval - now})),
                     {}};
    }
    Wish wish;
    wish.trigger = request.reason.empty() ? "operator" : request.reason;
    wish.accept_gap = request.accept_gap;
    const Result<void> recorded = record_wish(wish);
    if (!recorded) return with_context("the request cannot be recorded", recorded.error());
    wish_ = std::move(wish);
    wakeup_.wake();
    return {};
}

/// Accepted is what no crash undoes, also while the agent is still busy with something else: what
/// is on the disk then is what the rotation itself will begin with.
Result<void> TunnelAgent::record_wish(const Wish& wish) {
    const std::optional<RotationRecord> before = state_.rotation;
    RotationInputs inputs = inputs_for(wish);
    inputs.policy = policy_;
    const Rotation beginning(std::move(inputs), world_.clock.boot_now(), world_.clock.wall_now());
    state_.rotation = beginning.record();
    Result<void> saved = world_.states.save(policy_.name, state_);
    if (!saved) state_.rotation = before;
    return saved;
}

/// Whatever else is going on: the rotation that is open is given up at its next step. A compromise
/// that is being dealt with is not begun again, but whoever wants everybody dropped gets that.
Result<void> TunnelAgent::supersede(const RotateRequest& request) {
    if (superseded() || (rotation_ && rotation_->record().compromised)) {
        const Result<void> allowed = supersede_compromise(request);
        if (!allowed) return allowed;
    }
    Wish wish;
    wish.trigger = request.reason.empty() ? "compromised" : "compromised: " + request.reason;
    wish.accept_gap = request.accept_gap;
    wish.compromised = true;
    wish.evict_all = request.evict_all;
    // A disk that fails is no reason to let a thief stay.
    static_cast<void>(record_wish(wish));
    wish_ = std::move(wish);
    wakeup_.wake();
    return {};
}

Result<void> TunnelAgent::supersede_compromise(const RotateRequest& request) const {
    const bool drops_all = wish_ ? wish_->evict_all : rotation_->record().evict_all;
    const bool held = !wish_ && rotation_->view().state == RotationState::held;
    const bool waits = !wish_ && rotation_->view().state == RotationState::waiting;
    if (request.evict_all && (!drops_all || held || waits)) return {};
    std::string way_out;
    if (held) way_out = fmt::format("`keyturnctl retry {}` goes on with it; ", policy_.name);
    if (!request.evict_all) {
        way_out += fmt::format(
            "`keyturnctl rotate {} --compromised --evict-all` drops everybody at once, also your "
            "own connectors; ",
            policy_.name);
    }
    return Error{Fault::conflict,
                 fmt::format("that {} is compromised is being dealt with already; {}see "
                             "`keyturnctl status {}`",
                             policy_.name, way_out, policy_.name),
                 {}};
}

Result<void> TunnelAgent::decide(Decision decision) {
    switch (decision) {
        case Decision::retry: return retry();
        case Decision::pause: return set_paused(true);
        case Decision::resume: return set_paused(false);
        case Decision::revert: break;
    }
    return revert();
}

/// Durable before it is answered.
Result<void> TunnelAgent::set_paused(bool paused) {
    if (paused == state_.paused.has_value()) {
        return Error{
            Fault::conflict,
            fmt::format("{} is {}", policy_.name, paused ? "paused already" : "not paused"),
            {}};
    }
    const std::optional<WallTime> before = state_.paused;
    state_.paused.reset();
    if (paused) state_.paused = world_.clock.wall_now();
    if (const auto saved = world_.states.save(policy_.name, state_); !saved) {
        state_.paused = before;
        return with_context("the pause cannot be written", saved.error());
    }
    if (rotation_) rotation_->set_paused(paused);
    Event event =
        event_of(paused ? EventKind::tunnel_paused : EventKind::tunnel_unpaused, Priority::notice);
    event.message =
        fmt::format("An operator {} {}", paused ? "pauses" : "ends the pause of", policy_.name);
    if (paused) event.message += ": no rotation begins, and an open one restarts nothing more";
    log_.record(event);
    publish();
    wakeup_.wake();
    return {};
}

Result<void> TunnelAgent::revert() {
    if (!rotation_) {
        return Error{Fault::conflict, fmt::format("no rotation of {} is open", policy_.name), {}};
    }
    if (!rotation_->can_revert()) {
        return Error{Fault::denied,
                     fmt::format("the rotation of {} cannot go back: it is almost done, going back "
                                 "already, or the token from before is not ours to bring back",
                                 policy_.name),
                     {}};
    }
    rotation_->ask_to_revert();
    wakeup_.wake();
    return {};
}

Result<void> TunnelAgent::retry() {
    const bool held = rotation_ && rotation_->view().state == RotationState::held;
    if (state_.paused && !(held && rotation_->record().compromised)) {
        return Error{Fault::conflict,
                     fmt::format("{0} is paused, and nothing is retried in a pause; `keyturnctl "
                                 "resume {0}` ends that",
                                 policy_.name),
                     {}};
    }
    if (!held) {
        return Error{Fault::conflict,
                     fmt::format("{0} is not held, so there is nothing to retry; see `keyturnctl "
                                 "status {0}`",
                                 policy_.name),
                     {}};
    }
    tell(EventKind::hold_lifted, Priority::notice,
         fmt::format("An operator retries the rotation of {}", policy_.name));
    retry_wanted_ = true;
    wakeup_.wake();
    return {};
}

}  // namespace keyturn
