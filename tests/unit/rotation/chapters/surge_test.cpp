#include "rotation/surge.hpp"

#include "rotation/adoption.hpp"
#include "rotation/capacity.hpp"
#include "rotation/proof.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;

class SurgeTest : public ChapterAlone {
  protected:
    SurgeTest() {
        add_unit("a.service", UnitStep::verified);
        add_unit("surge.service", UnitStep::verified).surge = true;
    }

    void show(const SampleUnits::Sample& unit, const SampleUnits::Sample& surge) {
        answer<SampleUnits>(Samples{unit, surge});
    }

    const SampleUnits::Sample unit_ = serving("i", "c");
    const SampleUnits::Sample extra_ = serving("i-surge", "c-surge");
    Capacity capacity_{context_};
    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
    UnitRestart restart_{context_, capacity_, handover_, proof_};
    Surge surge_{context_, capacity_, restart_};
};

TEST_F(SurgeTest, IsStoppedOnceTheOthersServe) {
    read_part(surge_.stop());
    show(unit_, extra_);
    show(unit_, extra_);
    EXPECT_EQ(asked<StopUnit>().unit, "surge.service");
    answer<StopUnit>(JobResult::done);
    EXPECT_EQ(asked<SaveRecord>().record.units.back().step, UnitStep::listed);
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
}

TEST_F(SurgeTest, GoesOnServingWhereNobodyElseDoesAndIsHeldInTheEnd) {
    read_part(surge_.stop());
    show(idle("i", "c"), extra_);
    while (!ending_) {
        show(idle("i", "c"), extra_);
        if (!ending_) pass();
    }
    expect_held(HoldReason::verification_failed, "a.service");
}

TEST_F(SurgeTest, WaitsWithoutEndForOthersOfWhomNothingIsKnown) {
    read_part(surge_.stop());
    show(silent("i"), extra_);
    for (int hour = 0; hour < 100; ++hour) {
        context_.now += 1h;
        show(silent("i"), extra_);
        pass();
    }
    EXPECT_FALSE(ending_);
}

TEST_F(SurgeTest, IsHeldWhereItCannotBeStopped) {
    read_part(surge_.stop());
    show(unit_, extra_);
    show(unit_, extra_);
    answer<StopUnit>(no_right);
    expect_held(HoldReason::surge_not_stopped, "surge.service");
}

TEST_F(SurgeTest, IsNotTouchedWhereItDoesNotRun) {
    context_.record.units.back().step = UnitStep::listed;
    read_part(surge_.stop());
    show(unit_, stopped());
    expect_end(Ending::Kind::done);
}

}  // namespace
}  // namespace keyturn
