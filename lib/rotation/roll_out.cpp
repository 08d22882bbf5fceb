#include "rotation/roll_out.hpp"

#include "rotation/soak.hpp"
#include "rotation/surge.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"

#include <algorithm>

namespace keyturn {

Script<Ending> RollOut::tell() {
    const bool just_delivered = record_.phase == Phase::commit || record_.phase == Phase::revert;
    if (just_delivered) co_await save(Phase::roll);
    if (just_delivered && !record_.compromised()) {
        begin_step(inputs_.policy.rollout.settle);
        co_await sleep_for(inputs_.policy.rollout.settle);
        end_step();
    }
    co_await roll_batches();
    co_await surge_.stop();
    co_return Ending::go_on(ChapterName::finish);
}

Script<> RollOut::roll_batches() {
    const int first = first_open_batch();
    // Saved with the next step: a crash right after that does not lose the earlier batch.
    record_.batch = std::min(record_.batch, first);
    const SampleUnits::Value samples = co_await sample();
    note_processes(samples);
    co_await roll_what_was_begun();
    if (record_.batch_count() == 0) co_await plan_started_units(1);
    if (record_.batch_count() == 0) co_return;  // Nothing runs.
    for (int batch = first;; ++batch) {
        const bool still_ours = co_await token_.still_ours();
        if (!still_ours) co_await start_over();
        record_.batch = batch;
        co_await save(Phase::roll);
        tell_batch();
        for (std::size_t i = 0; i < record_.units.size(); ++i) {
            if (record_.units[i].batch == batch) co_await restart_.roll(i);
        }
        if (batch >= record_.batch_count()) co_await plan_started_units(batch + 1);
        if (batch >= record_.batch_count()) co_return;
        co_await soak_.soak_out();
    }
}

/// The file already contains the new token, so any later process of a unit has read it. Where the
/// file is that of another host, and not there yet, this is not known.
void RollOut::note_processes(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const bool unseen = unit.step == UnitStep::waiting && unit.invocation_before.empty();
        if (unseen && !samples[i].behind) unit.invocation_before = samples[i].state.invocation;
    }
}

void RollOut::tell_batch() {
    say(EventKind::batch_started, Priority::notice,
        fmt::format("Restarting batch {} of {} of {}", record_.batch, record_.batch_count(),
                    inputs_.policy.name));
}

/// A unit promoted in a soak may belong to a later batch, and a surge unit belongs to none.
Script<> RollOut::roll_what_was_begun() {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        if (record_.units[i].step != UnitStep::restarting) continue;
        if (record_.batch == 0) {  // In a revert.
            record_.batch = first_open_batch();
            tell_batch();
        }
        co_await restart_.roll(i);
    }
}

/// The batch that was open. It is an earlier one if a unit was verified, failed, and is restarted
/// by a retry: the batches after it must then be watched again too.
int RollOut::first_open_batch() const {
    int first = std::max(record_.batch, 1);
    for (const UnitProgress& unit : record_.units) {
        const bool open = unit.step == UnitStep::waiting || unit.step == UnitStep::restarting;
        if (open && unit.batch > 0) first = std::min(first, unit.batch);
    }
    return first;
}

/// Plans units that were not running at plan time, or were stopped, and have been started since. It
/// is unknown whether they read the current token, so they are restarted like the others, in a
/// separate batch.
Script<> RollOut::plan_started_units(int batch) {
    const SampleUnits::Value samples = co_await sample();
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const bool started = unit.step == UnitStep::listed && samples[i].state.started();
        if (!started || unit.surge || !record_.may_restart(unit)) continue;
        unit.step = UnitStep::waiting;
        unit.batch = batch;
        unit.baseline = samples[i].connections().value_or(0);
    }
}

}  // namespace keyturn
