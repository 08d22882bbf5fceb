// The third chapter: the units one by one, batch by batch; each is proven before the next.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

/// How often a restart that was answered and did not happen is asked for again.
constexpr int restarts_max = 3;

}  // namespace

Script<> Rotation::roll() {
    const bool just_delivered = record_.phase == Phase::commit || record_.phase == Phase::revert;
    if (just_delivered) co_await save(Phase::roll);
    if (just_delivered && !record_.compromised) {
        begin_step(inputs_.policy.rollout.settle);
        co_await sleep_for(inputs_.policy.rollout.settle);
        end_step();
    }
    for (;;) {
        const bool finished = co_await roll_batches();
        if (finished) break;
    }
    co_await stop_surge();
}

/// False when the token changed underneath: everything is to be rolled again. After a crash it
/// begins with the batch that was open; units that have verified are passed over, and its soak is
/// begun anew.
Script<bool> Rotation::roll_batches() {
    all_over_again_ = false;
    const int first = first_open_batch();
    // Durable with what is done next: a crash right after that does not lose the way back.
    record_.batch = std::min(record_.batch, first);
    const SampleUnits::Value samples = co_await sample();
    note_processes(samples);
    co_await roll_what_was_begun();
    if (all_over_again_) co_return false;
    if (record_.batch_count() == 0) co_await plan_started_units(1);
    if (record_.batch_count() == 0) co_return true;  // Nothing runs.
    for (int batch = first;; ++batch) {
        const bool still_ours = co_await token_is_still_ours();
        if (!still_ours) co_return false;
        record_.batch = batch;
        co_await save(Phase::roll);
        tell_batch();
        for (std::size_t i = 0; i < record_.units.size(); ++i) {
            if (record_.units[i].batch == batch) co_await roll_unit(i);
            if (all_over_again_) co_return false;
        }
        if (batch >= record_.batch_count()) co_await plan_started_units(batch + 1);
        if (batch >= record_.batch_count()) co_return true;
        const bool passed = co_await soak_out();
        if (!passed) co_return false;
    }
}

/// The new token is in its file: whatever process a unit has later than this has read it.
void Rotation::note_processes(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const bool unseen = unit.step == UnitStep::waiting && unit.invocation_before.empty();
        if (unseen) unit.invocation_before = samples[i].state.invocation;
    }
}

void Rotation::tell_batch() {
    say(EventKind::batch_started, Priority::notice,
        fmt::format("Batch {} of {} of {}", record_.batch, record_.batch_count(),
                    inputs_.policy.name));
}

/// A unit promoted in a soak may be of a later batch, and a surge is of none.
Script<> Rotation::roll_what_was_begun() {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        if (record_.units[i].step != UnitStep::restarting) continue;
        if (record_.batch == 0) {  // On the way back.
            record_.batch = first_open_batch();
            tell_batch();
        }
        co_await roll_unit(i);
        if (all_over_again_) co_return;
    }
}

/// The batch that was open; an earlier one where a unit had verified, failed, and is restarted by a
/// retry: then what came after it is to be watched anew, too.
int Rotation::first_open_batch() const {
    int first = std::max(record_.batch, 1);
    for (const UnitProgress& unit : record_.units) {
        const bool open = unit.step == UnitStep::waiting || unit.step == UnitStep::restarting;
        if (open && unit.batch > 0) first = std::min(first, unit.batch);
    }
    return first;
}

/// A unit that did not run at plan time, or was stopped, and was started since: whether it read the
/// token of now is not known, so it is restarted like the others, in a batch of its own.
Script<> Rotation::plan_started_units(int batch) {
    const SampleUnits::Value samples = co_await sample();
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const bool started = unit.step == UnitStep::listed && samples[i].state.started();
        if (!started || unit.surge) continue;
        unit.step = UnitStep::waiting;
        unit.batch = batch;
        unit.baseline = samples[i].connections().value_or(0);
    }
}

Script<> Rotation::roll_unit(std::size_t index) {
    bool first_look = true;
    for (int restarts = 0; restarts < restarts_max;) {
        if (record_.units[index].step == UnitStep::verified) co_return;
        if (record_.units[index].step == UnitStep::waiting) co_await allow_restart(index);
        if (all_over_again_ || record_.units[index].step == UnitStep::listed) co_return;
        const SampleUnits::Value samples = co_await sample();
        const BootTime sampled = now_;
        if (!needs_restart(record_.units[index], samples[index], first_look)) {
            co_await keep_token_file();  // systemd may have to start it once more.
            break;
        }
        if (stands_still()) {
            co_await stand_still();
            continue;
        }
        // Much may have happened since it was allowed: a disk that was full, a crash of ours.
        if (!may_go_down(index, samples)) {
            // It is the process of now that has to go, also if it is a new one.
            record_.units[index].invocation_before = samples[index].state.invocation;
            not_begun(record_.units[index]);
            continue;
        }
        // Last, as nothing tells of a file that changes; it may have to be delivered again.
        co_await keep_token_file();
        if (now_ - sampled > sample_age_max || stands_still()) continue;
        const std::optional<Fault> failed = co_await restart(index, sampled);
        if (!failed) ++restarts;
        if (failed != Fault::busy) first_look = false;
    }
    waited_for_it();
    co_await verify(index);
}

}  // namespace keyturn
