#include "rotation/restart_window.hpp"

#include "rotation/adoption.hpp"
#include "rotation/capacity.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "schedule/calendar.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;

class RestartWindowTest : public ChapterAlone {
  protected:
    RestartWindowTest() {
        add_unit("a.service", UnitStep::waiting);
        context_.record.phase = Phase::commit;
        context_.record.request.kind = RotationKind::takeover;
        context_.inputs.policy.schedule.windows = {{parse_calendar("04:00").value(), 4h}};
        context_.inputs.policy.drift.interval = 24h;
        context_.wall_now = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};
    }

    Capacity capacity_{context_};
    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    RestartWindow window_{context_, capacity_, token_};
};

TEST_F(RestartWindowTest, HoldsUpNobodyButATakeOver) {
    context_.record.request.kind = RotationKind::routine;
    read(window_.tell());
    expect_next(ChapterName::roll_out);
}

TEST_F(RestartWindowTest, HoldsUpNobodyWhereThePolicySaysNow) {
    context_.inputs.policy.drift.restart = DriftRestart::now;
    read(window_.tell());
    expect_next(ChapterName::roll_out);
}

TEST_F(RestartWindowTest, LeavesTheRestartsToPeopleWhereThePolicySaysNever) {
    context_.inputs.policy.drift.restart = DriftRestart::never;
    read(window_.tell());
    expect_next(ChapterName::finish);
}

TEST_F(RestartWindowTest, WaitsUntilItOpens) {
    read(window_.tell());
    const WallTime begin = context_.wall_now;
    while (!ending_) {
        pass();
        answer<SampleUnits>(Samples{serving("i", "c")});
    }
    expect_next(ChapterName::roll_out);
    EXPECT_GE(context_.wall_now - begin, 4h);
    EXPECT_LT(context_.wall_now - begin, 4h + 1min);
}

TEST_F(RestartWindowTest, DoesNotWaitWithAUnitThatCannotServeAnyMore) {
    read(window_.tell());
    pass();
    answer<SampleUnits>(Samples{idle("i", "c")});
    expect_next(ChapterName::roll_out);
}

}  // namespace
}  // namespace keyturn
