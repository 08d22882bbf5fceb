// A side story: the new token is given up, and the one from before is brought back. What was made
// for a rotation serves for this, too: the two kept tokens only change places.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

/// Once, and only from a token of our own making; never to one that is in wrong hands. Somebody may
/// have put back a secret that was rotated away, right before this rotation began: not to that one.
bool Rotation::can_revert() const {
    const bool ended = record_.proven || !record_.refusal.empty();
    const bool retired =
        std::ranges::find(inputs_.retired, record_.old_fingerprint) != inputs_.retired.end();
    return !ended && !retired && !record_.reverts() && !record_.compromised &&
           !record_.ends_on_foreign_token();
}

/// An operator has called the rotation off. Comes back only if that came too late.
Script<> Rotation::obey() {
    revert_wanted_ = false;
    if (!can_revert()) co_return;
    const bool untouched = record_.phase == Phase::preflight || record_.phase == Phase::prepare;
    std::string why = untouched ? "an operator called it off" : "an operator asked for it";
    if (untouched) co_await refuse(std::move(why));
    co_await revert(std::move(why));
}

/// Never returns.
Script<> Rotation::revert(std::string why) {
    invariant(can_revert(), "a rotation goes back once");
    if (record_.hold && record_.hold->reason == "verification_failed") {
        failed_unit_ = record_.hold->unit;
    }
    inputs_.acknowledged_unit.clear();
    record_.hold.reset();
    view_.state = RotationState::running;
    view_.reason.clear();
    waits_for_more_ = false;
    end_step();
    plan_revert();
    record_.reverting = why;
    co_await save(Phase::revert);
    say(EventKind::rotation_reverting, Priority::alert,
        fmt::format("The rotation of {} goes back to the old token: {}", inputs_.policy.name, why),
        {}, "reverting");
    co_await take_back();
    co_await roll_to_the_end();
}

/// The roll-out of the old token. Which units never left it is seen once it is delivered again:
/// until then one that is restarted by somebody reads the new one.
void Rotation::plan_revert() {
    std::swap(record_.old_fingerprint, record_.new_fingerprint);
    record_.batch = 0;
    record_.connectors_before.clear();
    for (UnitProgress& unit : record_.units) {
        unit.invocation_before.clear();
        if (unit.surge) unit.step = UnitStep::listed;
        if (unit.step != UnitStep::listed) unit.step = UnitStep::waiting;
    }
}

/// Units that are the process from before the rotation, with their connections, are left alone.
void Rotation::spare_untouched(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const SampleUnits::Sample& sample = samples[i];
        const bool left_dead = unit.name == failed_unit_ && !sample.state.job_pending &&
                               sample.state.active_state == "inactive";
        // No operator has stopped it: our own restart has left it so.
        if (left_dead && unit.step == UnitStep::waiting) unit.step = UnitStep::restarting;
        if (unit.step != UnitStep::waiting || !sample.serves()) continue;
        const bool untouched = sample.state.invocation == unit.invocation_old &&
                               sample.connections() >= connections_tolerated(unit);
        if (untouched) {
            unit.step = UnitStep::verified;
            unit.connector_after = sample.readiness->connector_id;
            unit.invocation_after = sample.state.invocation;
            unit.verified_by = "not restarted";
            say(EventKind::unit_spared, Priority::info,
                fmt::format("{} was not restarted: it serves with the old token as before",
                            unit.name),
                unit.name);
        } else {
            record_.connectors_before.push_back(sample.readiness->connector_id);
        }
    }
}

/// Gives Cloudflare the old secret and puts the old token into the file; may be repeated.
Script<> Rotation::take_back() {
    TakeBackSecret question;
    question.fingerprint = record_.new_fingerprint;
    std::string purpose = "cannot bring back the old token";
    co_await insist(std::move(question), std::move(purpose));
    patch_confirmed_ = false;
    co_await send_secret(true);
    co_await deliver();
    co_await confirm();
    token_confirmed_ = true;
    if (!record_.reverts()) co_return;  // Somebody else's token came in between.
    const SampleUnits::Value samples = co_await sample();
    spare_untouched(samples);
}

}  // namespace keyturn
