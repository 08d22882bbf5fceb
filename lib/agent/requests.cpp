// What operators ask of a tunnel. Each answers at once: facts are set, and the loop is woken.

#include "agent/tunnel_agent.hpp"
#include "clock/clock.hpp"
#include "state/state_store.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// The operator's reason as it is kept in the history.
std::string trigger_of(const RotationRequest& request) {
    const bool compromise = request.kind == RotationKind::compromise;
    if (request.trigger.empty()) return compromise ? "compromised" : "operator";
    return (compromise ? "compromised: " : "") + request.trigger;
}

}  // namespace

/// A compromise takes the place of an open rotation at its next step, whatever else is going on.
Result<void> TunnelAgent::request_rotation(RotationRequest request) {
    Result<void> allowed = may_rotate(view(), request);
    if (!allowed) return allowed;
    request.trigger = trigger_of(request);
    const Result<void> recorded = record(request);
    // A disk that fails is no reason to let a thief stay.
    if (!recorded && request.kind != RotationKind::compromise) {
        return with_context("the request cannot be recorded", recorded.error());
    }
    accepted_ = std::move(request);
    bring_back_.reset();
    wakeup_.wake();
    return {};
}

/// Accepted is what no crash undoes, also while the agent is still busy with something else: what
/// is on the disk then is what the rotation itself will begin with.
Result<void> TunnelAgent::record(const RotationRequest& request) {
    const std::optional<RotationRecord> before = state_.rotation;
    RotationInputs inputs = inputs_for(request);
    state_.rotation =
        record_of(request, world_.clock.wall_now(), std::move(inputs.superseded), inputs.adoptions);
    Result<void> saved = world_.states.save(policy_.name, state_);
    if (!saved) state_.rotation = before;
    return saved;
}

bool TunnelAgent::takes_a_new_policy() const {
    if (idle()) return true;
    if (!rotation_ || !rotation_->record().compromised() || !nothing_wanted()) return false;
    return view().in(RotationState::held) || view().in(RotationState::waiting);
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
    Result<void> allowed = may_set_paused(view(), paused);
    if (!allowed) return allowed;
    const std::optional<WallTime> before = state_.paused;
    state_.paused.reset();
    if (paused) state_.paused = world_.clock.wall_now();
    if (const auto saved = world_.states.save(policy_.name, state_); !saved) {
        state_.paused = before;
        return with_context("the pause cannot be written", saved.error());
    }
    if (rotation_) rotation_->set_paused(paused);
    const EventKind kind = paused ? EventKind::tunnel_paused : EventKind::tunnel_unpaused;
    tell(kind, Priority::notice,
         paused ? fmt::format("An operator pauses {}: no rotation begins, and an open one restarts "
                              "nothing more",
                              policy_.name)
                : fmt::format("An operator ends the pause of {}", policy_.name));
    publish();
    wakeup_.wake();
    return {};
}

Result<void> TunnelAgent::revert() {
    Result<void> allowed = may_revert(view());
    if (!allowed) return allowed;
    rotation_->ask_to_revert();
    wakeup_.wake();
    return {};
}

Result<void> TunnelAgent::retry() {
    Result<void> allowed = may_retry(view());
    if (!allowed) return allowed;
    tell(EventKind::hold_lifted, Priority::notice,
         fmt::format("An operator retries the rotation of {}", policy_.name));
    retry_wanted_ = true;
    wakeup_.wake();
    return {};
}

}  // namespace keyturn
