#include "rotation/compromise.hpp"

#include "rotation/commit.hpp"
#include "rotation/eviction.hpp"
#include "rotation/hurried_plan.hpp"
#include "rotation/preparation.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"

#include <algorithm>

namespace keyturn {

Script<Ending> Compromise::tell() {
    const bool resumed = inputs_.record.has_value();
    if (record_.phase == Phase::preflight || record_.phase == Phase::prepare) {
        co_await plan_.make();
        co_await preparation_.prepare();
        co_await commit_.commit();
    } else if (record_.phase == Phase::commit) {
        co_await commit_.commit();
    } else {
        // Also at the end, because the record may be outdated and only the token shows what must
        // go.
        co_await token_.deliver_again();
    }
    if (resumed) co_await plan_.take_in_new_units();
    if (record_.phase == Phase::finish && record_.everyone_proven()) {
        co_return Ending::go_on(ChapterName::finish);
    }
    if (record_.phase == Phase::finish) record_.phase = Phase::roll;
    if (!record_.evicted) co_await eviction_.evict();
    co_await insist<WipeOldSecret>("cannot wipe the old secret");
    co_await plan_.insist_on_it();
    co_await restart_dropped();
    co_return Ending::go_on(ChapterName::window);
}

/// None of the dropped units can reconnect without a restart, so they restart all at once, in one
/// batch. Each is verified afterwards, as in every roll-out.
Script<> Compromise::restart_dropped() {
    if (record_.request.evict_all) {
        for (UnitProgress& unit : record_.units) {
            unit.dropped = unit.step == UnitStep::waiting;
        }
    }
    if (std::ranges::none_of(record_.units, &UnitProgress::dropped)) co_return;
    std::vector<std::string> dropped;
    const SampleUnits::Value samples = co_await sample();
    const BootTime sampled = now_;
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const bool waits = unit.dropped && unit.step == UnitStep::waiting;
        if (!waits || samples[i].state.active_state == "inactive") continue;
        dropped.push_back(unit.name);
        unit.batch = 1;
        UnitRestart::begin_restart(unit, samples[i]);
    }
    if (dropped.empty()) co_return;  // Nothing runs, or a crash came after the restarts were begun.
    record_.batch = 1;
    co_await save(Phase::roll);
    co_await handover_.keep_file();
    say(EventKind::batch_started, Priority::notice,
        fmt::format("Restarting batch 1 of {} of {}: all units at once", record_.batch_count(),
                    inputs_.policy.name));
    for (const std::string& unit : dropped) {
        RestartUnit question{.unit = unit, .not_after = sampled + sample_age_max};
        say(EventKind::unit_restarting, Priority::notice, fmt::format("Restarting {}", unit), unit);
        // The later verification of each unit shows whether the restart happened.
        static_cast<void>(co_await ask(std::move(question)));
    }
}

}  // namespace keyturn
