// Requests of operators. Each function answers at once: it sets facts and wakes the loop.

#include "agent/tunnel_agent.hpp"
#include "clock/clock.hpp"
#include "state/state_store.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// Returns the operator's reason in the form that the history keeps.
std::string trigger_of(const RotationRequest& request) {
    std::string kind;
    if (request.kind == RotationKind::compromise) kind = "compromised";
    if (request.kind == RotationKind::adopt) kind = "adopt";
    if (request.kind == RotationKind::release) kind = "release";
    if (request.trigger.empty()) return kind.empty() ? "operator" : kind;
    return kind.empty() ? request.trigger : fmt::format("{}: {}", kind, request.trigger);
}

}  // namespace

/// A compromise replaces an open rotation at its next step, in every state.
Result<void> TunnelAgent::request_rotation(RotationRequest request) {
    Result<void> allowed = may_rotate(view(), request);
    if (!allowed) return allowed;
    request.trigger = trigger_of(request);
    const Result<void> recorded = record(request);
    // A failing disk must not keep an intruder connected.
    if (!recorded && request.kind != RotationKind::compromise) {
        return with_context("the request cannot be recorded", recorded.error());
    }
    accepted_ = std::move(request);
    bring_back_.reset();
    wakeup_.wake();
    return {};
}

/// A crash must not undo an accepted request, even while the agent is still busy with something
/// else. The record on disk is the one with which the rotation will start.
Result<void> TunnelAgent::record(const RotationRequest& request) {
    const std::optional<RotationRecord> before = state_.rotation;
    RotationInputs inputs = inputs_for(request);
    state_.rotation = record_of(request, world_.clock.wall_now(), std::move(inputs.superseded),
                                inputs.take_overs);
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

/// The pause is on disk before the operator gets an answer.
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
         paused ? fmt::format("An operator pauses {}: no rotation starts, and an open one restarts "
                              "no further unit",
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
