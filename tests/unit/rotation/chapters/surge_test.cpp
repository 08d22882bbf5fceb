#include "rotation/surge.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class SurgeTest : public ChapterAlone {
  protected:
    SurgeTest() {
        add_unit(a, UnitStep::verified);
        add_unit(extra, UnitStep::verified).surge = true;
    }

    void show(const Sample& unit, const Sample& surge) { answer<SampleUnits>({unit, surge}); }

    const Sample extra_ = serving("i-surge", "c-surge");
};

TEST_F(SurgeTest, IsStoppedOnceTheOthersServe) {
    read_part(surge_.stop());
    show(a_, extra_);
    show(a_, extra_);
    EXPECT_EQ(asked<StopUnit>().unit, extra);
    answer<StopUnit>(JobResult::done);
    EXPECT_EQ(asked<SaveRecord>().record.units.back().step, UnitStep::listed);
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), ElementsAre(EventKind::surge_stopped));
}

TEST_F(SurgeTest, KeepsServingWhileNoOtherUnitDoesAndIsHeldInTheEnd) {
    read_part(surge_.stop());
    keep_answering<SampleUnits>(Samples{idle_a_, extra_});
    expect_held(HoldReason::verification_failed, a);
}

TEST_F(SurgeTest, WaitsForeverWhileTheOthersCannotBeAsked) {
    read_part(surge_.stop());
    show(silent_a_, extra_);
    for (int hour = 0; hour < 100; ++hour) {
        context_.now += 1h;
        show(silent_a_, extra_);
        pass();
    }
    EXPECT_FALSE(ending_);
}

TEST_F(SurgeTest, IsHeldIfItCannotBeStopped) {
    read_part(surge_.stop());
    show(a_, extra_);
    show(a_, extra_);
    answer<StopUnit>(no_right);
    expect_held(HoldReason::surge_not_stopped, extra);
}

TEST_F(SurgeTest, IsNotTouchedIfItDoesNotRun) {
    context_.record.units.back().step = UnitStep::listed;
    read_part(surge_.stop());
    show(a_, stopped());
    expect_end(Ending::Kind::done);
}

}  // namespace
}  // namespace keyturn
