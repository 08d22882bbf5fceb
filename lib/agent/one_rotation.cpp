// Runs one rotation of a tunnel: the executor performs the heart's actions until the rotation ends.

#include "agent/bring_back.hpp"
#include "agent/tunnel_agent.hpp"
#include "agent/unit_starts.hpp"
#include "clock/clock.hpp"
#include "journal/event_log.hpp"
#include "state/state_store.hpp"

#include <utility>

namespace keyturn {

namespace {

/// How long a take-over counts towards the heart's limit of take-overs.
constexpr std::chrono::hours take_overs_span{24};

}  // namespace

RotationInputs TunnelAgent::inputs_for(const RotationRequest& request) {
    RotationInputs inputs;
    inputs.request = request;
    if (request.kind == RotationKind::takeover) inputs.take_overs = take_overs_lately();
    if (request.kind == RotationKind::compromise) inputs.superseded = executor_->kept_rotation();
    return inputs;
}

int TunnelAgent::take_overs_lately() {
    const WallTime now = world_.clock.wall_now();
    if (policy_.drift.by_another_host) return 0;
    std::erase_if(taken_over_, [&](WallTime when) { return when < now - take_overs_span; });
    return static_cast<int>(taken_over_.size());
}

Task<> TunnelAgent::rotate(RotationInputs inputs) {
    for (;;) {
        begin(std::move(inputs));
        // No co_await in the condition: if a function has no other variable, g++ 12 puts its value
        // at the front of the coroutine's frame, where the resume address belongs.
        bool more = true;
        while (more) more = co_await perform_next();
        if (!retry_wanted_) break;
        // A retry starts again from the record, without the hold.
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
    inputs.proven = watch_.proven();
    inputs.retired = state_.retired;
    inputs.paused = state_.paused.has_value();
    rotation_ = std::make_unique<Rotation>(std::move(inputs), world_.clock.boot_now(),
                                           world_.clock.wall_now());
}

/// Performs one action. Returns false if the rotation has ended, must start again for a retry, or
/// must make way for a compromise.
Task<bool> TunnelAgent::perform_next() {
    // Nothing may delay the new token file after Cloudflare's answer, not even an event.
    const bool urgent =
        !rotation_->ended() && std::holds_alternative<DeliverToken>(rotation_->action());
    if (!urgent) {
        for (const Event& event : rotation_->take_events()) log_.record(event);
    }
    // `rotate` publishes the end together with the outcome.
    if (rotation_->ended()) co_return false;
    if (!urgent) publish();
    const auto given_up = [this] { return view().superseded(); };
    const bool held = rotation_->view().state == RotationState::held;
    if ((held && retry_wanted_) || (given_up() && !urgent)) co_return false;
    const Wait* wait = std::get_if<Wait>(&rotation_->action());
    Answer answer = Answered<Wait>();
    if (wait != nullptr) {
        // An operator's request ends the wait early; the rotation decides whether to wait on.
        const BootTime until = wait->until;
        co_await idle_until(until);
        if ((held && retry_wanted_) || given_up()) co_return false;
    } else {
        const Action action = rotation_->action();
        answer = co_await executor_->perform(action);
    }
    rotation_->answer(std::move(answer), world_.clock.boot_now(), world_.clock.wall_now());
    co_return true;
}

/// A rotation that made way for a compromise has not ended: its record is still there.
void TunnelAgent::note_end() {
    if (rotation_->ended()) learn_from_end();
    lock_out_ = rotation_->view().lock_out;
    rotation_.reset();
    look_at_clock();
    publish();
}

void TunnelAgent::learn_from_end() {
    recall_last();
    if (last_) note_end_of_rotation(state_, *last_);
    // If this write fails, the only effect is that the units' tokens are unknown after a restart.
    static_cast<void>(world_.states.save(policy_.name, state_));
    const RotationRecord& record = rotation_->record();
    std::vector<std::string> units;
    for (const UnitProgress& unit : record.units) {
        if (!unit.surge) units.push_back(unit.name);
    }
    watch_.note_units(std::move(units));
    watch_.note_samples(rotation_->view().samples);
    const WallTime now = world_.clock.wall_now();
    const BootTime boot_now = world_.clock.boot_now();
    const bool done = rotation_->view().state == RotationState::done;
    // The rotation has just checked everything. An outdated answer of the API would look like
    // somebody else's change.
    if (done) watch_.times().looked(boot_now);
    if (done && !record.takes_over() && !record.compromised()) watch_.preflight_passed();
    if (done) watch_.checks().note(true, now);
    strangers_wanted_ = done;
    const bool ours = record.request.trigger == trigger_for_outdated;
    if (done && !ours && record.ends_on_foreign_token()) taken_over_.push_back(now);
    const bool refused = rotation_->view().state == RotationState::refused;
    if (record.request.scheduled && refused) planner_.postpone(refusal_pause, now, boot_now);
}

/// Writes the record before it keeps the token: a crash between the two leads to a take-over of the
/// same token.
Task<> TunnelAgent::bring_onto_token(RotationRecord planned) {
    if (state_.rotation) co_return;
    state_.rotation = planned;
    std::string rotation_id = co_await keep_for(planned);
    if (view().superseded()) co_return;  // The compromise has replaced the record.
    if (rotation_id.empty()) {
        state_.rotation.reset();
        static_cast<void>(world_.states.save(policy_.name, state_));
        publish();
        co_return;
    }
    RotationInputs inputs;
    planned.rotation_id = std::move(rotation_id);
    inputs.record = std::move(planned);
    co_await rotate(std::move(inputs));
}

/// Returns the id of the rotation. It is empty if that is not possible now; the next check tries
/// again.
Task<std::string> TunnelAgent::keep_for(const RotationRecord& planned) {
    if (!world_.states.save(policy_.name, state_)) co_return "";
    publish();
    KeepToken keep;
    keep.fingerprint = planned.new_fingerprint;
    const auto kept = co_await executor_->ask(keep);
    if (kept && kept->fingerprint == planned.new_fingerprint) {
        co_return kept->rotation_id;
    }
    if (view().superseded()) co_return "";
    const ForgetSecrets forget;
    static_cast<void>(co_await executor_->ask(forget));
    co_return "";
}

}  // namespace keyturn
