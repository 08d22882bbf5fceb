#include "rotation/beginning.hpp"

namespace keyturn {

Script<Ending> Beginning::tell() {
    if (record_.hold) co_return Ending::go_on(ChapterName::hold);
    if (inputs_.record) {
        say(EventKind::rotation_resumed, Priority::notice,
            fmt::format("Continuing the rotation of {} in phase {}", inputs_.policy.name,
                        name_of(record_.phase)),
            {}, std::string(kind_word()));
    }
    if (!record_.refusal.empty()) co_return Ending::refused(record_.refusal);
    if (inputs_.retried) co_await settle_retry();
    const bool left_behind = record_.phase == Phase::finish && !record_.everyone_proven();
    if (left_behind && !record_.proven) record_.phase = Phase::roll;
    co_return Ending::go_on(first_chapter());
}

/// Saves the lifted hold first, so that a repeated hold raises its own alarm. If the unit of the
/// hold had been verified, it is checked again. But a unit that must not be restarted is then a
/// matter of the person who lifted the hold: it only counts for as long as it serves.
Script<> Beginning::settle_retry() {
    for (UnitProgress& unit : record_.units) {
        if (unit.name != inputs_.acknowledged_unit) continue;
        const bool ours = record_.may_restart(unit);
        if (unit.step == UnitStep::verified && ours) unit.step = UnitStep::restarting;
        if (!ours) unit.step = UnitStep::listed;
    }
    record_.take_overs = 0;
    co_await save(record_.phase);
}

ChapterName Beginning::first_chapter() const {
    if (record_.proven) return ChapterName::conclusion;
    const Phase phase = record_.phase;
    const bool unplanned = phase == Phase::preflight;
    if (record_.compromised()) return ChapterName::compromise;
    if (record_.ends_on_foreign_token() && (unplanned || phase == Phase::commit)) {
        return ChapterName::take_over;
    }
    const bool before_the_restarts = unplanned || phase == Phase::prepare || phase == Phase::commit;
    if (record_.keeps_token() && before_the_restarts) return ChapterName::bring_in;
    switch (phase) {
        case Phase::preflight:
        case Phase::prepare: return ChapterName::preparation;
        case Phase::commit: return ChapterName::commit;
        case Phase::revert: return ChapterName::revert;
        case Phase::roll:
        case Phase::soak: return ChapterName::resumption;
        case Phase::finish: break;
    }
    return ChapterName::finish;
}

}  // namespace keyturn
