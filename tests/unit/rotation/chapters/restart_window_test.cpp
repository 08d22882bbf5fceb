#include "rotation/restart_window.hpp"

#include "schedule/calendar.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class RestartWindowTest : public ChapterAlone {
  protected:
    RestartWindowTest() {
        add_unit(a, UnitStep::waiting);
        context_.record.phase = Phase::commit;
        context_.record.request.kind = RotationKind::takeover;
        context_.inputs.policy.schedule.windows = {{parse_calendar("04:00").value(), 4h}};
        context_.inputs.policy.drift.interval = 24h;
        context_.wall_now = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};
    }
};

TEST_F(RestartWindowTest, DelaysOnlyATakeOver) {
    context_.record.request.kind = RotationKind::routine;
    read(window_.tell());
    expect_next(ChapterName::roll_out);
}

TEST_F(RestartWindowTest, DelaysNothingIfThePolicySaysNow) {
    context_.inputs.policy.drift.restart = DriftRestart::now;
    read(window_.tell());
    expect_next(ChapterName::roll_out);
}

TEST_F(RestartWindowTest, LeavesTheRestartsToPeopleIfThePolicySaysNever) {
    context_.inputs.policy.drift.restart = DriftRestart::never;
    read(window_.tell());
    expect_next(ChapterName::finish);
}

TEST_F(RestartWindowTest, WaitsUntilItOpens) {
    read(window_.tell());
    const WallTime begin = context_.wall_now;
    keep_answering<SampleUnits>(Samples{a_});
    expect_next(ChapterName::roll_out);
    EXPECT_THAT(context_.wall_now - begin, AllOf(Ge(4h), Lt(4h + 1min)));
}

TEST_F(RestartWindowTest, DoesNotWaitWithAUnitThatCannotServeAnyMore) {
    read(window_.tell());
    pass();
    answer<SampleUnits>({idle_a_});
    expect_next(ChapterName::roll_out);
}

}  // namespace
}  // namespace keyturn
