#include "rotation/rotation.hpp"

#include "base/invariant.hpp"
#include "rotation/revert.hpp"
#include "rotation/story.hpp"

#include <utility>

namespace keyturn {

namespace {

std::unique_ptr<RotationContext> context_for(RotationInputs inputs, BootTime now,
                                             WallTime wall_now) {
    auto context = std::make_unique<RotationContext>();
    context->record =
        inputs.record ? *inputs.record
                      : record_of(inputs.request, wall_now, inputs.superseded, inputs.take_overs);
    context->view.phase = context->record.phase;
    context->now = now;
    context->wall_now = wall_now;
    context->proven = inputs.proven;
    for (const UnitProgress& unit : context->record.units) {
        if (unit.connector_after.empty()) continue;
        context->proven.push_back({unit.name, unit.invocation_after, unit.connector_after, ""});
    }
    context->inputs = std::move(inputs);
    return context;
}

}  // namespace

Rotation::Rotation(RotationInputs inputs, BootTime now, WallTime wall_now)
    : context_(context_for(std::move(inputs), now, wall_now)),
      story_(std::make_unique<Story>(*context_)) {
    story_->begin();
}

Rotation::~Rotation() = default;

const Action& Rotation::action() const {
    return *context_->action;
}

void Rotation::answer(Answer answer, BootTime now, WallTime wall_now) {
    invariant(!ended(), "an ended rotation asks for nothing");
    invariant(answer.index() == context_->action->index(), "the answer must match the action");
    context_->now = now;
    context_->wall_now = wall_now;
    context_->answer.emplace(std::move(answer));
    std::exchange(context_->asker, nullptr).resume();
}

void Rotation::set_paused(bool paused) {
    context_->inputs.paused = paused;
}

bool Rotation::can_revert() const {
    return keyturn::can_revert(context_->inputs, context_->record);
}

void Rotation::ask_to_revert() {
    context_->revert_wanted = true;
}

bool Rotation::ended() const {
    return view().state == RotationState::done || view().state == RotationState::refused;
}

const RotationView& Rotation::view() const {
    return context_->view;
}

const RotationRecord& Rotation::record() const {
    return context_->record;
}

std::vector<Event> Rotation::take_events() {
    return std::exchange(context_->events, {});
}

}  // namespace keyturn
