#include "rotation/unit_restart.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class UnitRestartTest : public ChapterAlone {
  protected:
    UnitRestartTest() {
        add_unit(a, UnitStep::waiting);
        add_unit(b, UnitStep::waiting);
    }

    void show(const Sample& first, const Sample& second) { answer<SampleUnits>({first, second}); }

    /// To the restart itself, with both units serving.
    void come_to_the_restart() {
        read_part(restart_.roll(0));
        show(a_, b_);
        agree<SaveRecord>();
        show(a_, b_);
        show_file();
    }
};

TEST_F(UnitRestartTest, IsOnTheDiskBeforeItIsMade) {
    read_part(restart_.roll(0));
    show(a_, b_);
    const UnitProgress& saved = asked<SaveRecord>().record.units.front();
    EXPECT_EQ(saved.step, UnitStep::restarting);
    EXPECT_EQ(saved.invocation_before, "i-a");
    EXPECT_EQ(saved.connector_before, "c-a");
}

TEST_F(UnitRestartTest, NeverStartsAUnitThatAnOperatorStopsMeanwhile) {
    come_to_the_restart();
    EXPECT_EQ(asked<RestartUnit>().verb, RestartVerb::try_restart);
    EXPECT_EQ(asked<RestartUnit>().not_after, context_.now + sample_age_max);
}

TEST_F(UnitRestartTest, IsHeldIfSystemdSaysNoAndTheUnitKeepsWaiting) {
    come_to_the_restart();
    answer<RestartUnit>(no_right);
    expect_held(HoldReason::not_allowed, a);
    EXPECT_EQ(context_.record.units.front().step, UnitStep::waiting);
    EXPECT_THAT(told(), ElementsAre(EventKind::unit_restarting));
}

TEST_F(UnitRestartTest, IsHeldIfSomebodysJobTakesItsPlace) {
    come_to_the_restart();
    answer<RestartUnit>(JobResult::canceled);
    expect_held(HoldReason::operator_took_over, a);
}

TEST_F(UnitRestartTest, WaitsWhileTooFewOthersServeAndIsHeldInTheEnd) {
    read_part(restart_.roll(0));
    const BootTime begin = context_.now;
    keep_answering<SampleUnits>(Samples{a_, stopped()});
    expect_held(HoldReason::too_few_replicas, a);
    EXPECT_GE(context_.now - begin, context_.inputs.policy.rollout.progress_deadline);
}

TEST_F(UnitRestartTest, WaitsForeverWhileItIsUnknownWhetherOthersServe) {
    read_part(restart_.roll(0));
    for (int hour = 0; hour < 100; ++hour) {
        context_.now += 1h;
        show(a_, silent_b_);
        pass();
    }
    EXPECT_FALSE(ending_);
    EXPECT_THAT(context_.view.reason, HasSubstr("cannot tell whether enough others serve"));
}

/// It may wait long, for the hosts before this one.
TEST_F(UnitRestartTest, RestartsAUnitThatLosesItsConnectionsWhileAnotherOneWaits) {
    context_.inputs.policy.rollout.min_available = 0;
    read_part(restart_.roll(0));
    show(a_, idle_b_);
    agree<SaveRecord>();
    show(a_, idle_b_);
    show_file();
    answer<RestartUnit>(Error{Fault::busy, "another host comes first", {}});
    pass();
    EXPECT_EQ(asked<SaveRecord>().record.units.back().step, UnitStep::restarting);
    agree<SaveRecord>();
    show(a_, idle_b_);
    show_file();
    EXPECT_EQ(asked<RestartUnit>().unit, b);
}

TEST_F(UnitRestartTest, RestartsAUnitWithoutConnectionsFirst) {
    context_.inputs.policy.rollout.min_available = 2;
    read_part(restart_.roll(0));
    show(a_, idle_b_);
    EXPECT_EQ(asked<SaveRecord>().record.units.back().step, UnitStep::restarting);
    EXPECT_EQ(asked<SaveRecord>().record.units.front().step, UnitStep::waiting);
    EXPECT_THAT(told(), Contains(EventKind::replica_promoted));
}

TEST_F(UnitRestartTest, OnlyVerifiesAProcessThatHasReadTheTokenAlready) {
    context_.record.units.front().invocation_before = "of-the-delivery";
    read_part(restart_.roll(0));
    show(a_, b_);
    agree<SaveRecord>();
    show(a_, b_);
    show_file();
    EXPECT_TRUE(is_asked<SampleUnits>()) << "it is watched";
    EXPECT_EQ(context_.record.units.front().invocation_before, "of-the-delivery");
}

}  // namespace
}  // namespace keyturn
