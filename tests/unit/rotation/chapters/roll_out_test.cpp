#include "rotation/roll_out.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class RollOutTest : public ChapterAlone {
  protected:
    RollOutTest() { context_.record.phase = Phase::roll; }
};

TEST_F(RollOutTest, LetsTheEdgeSettleAfterADelivery) {
    add_unit(a, UnitStep::waiting);
    context_.record.phase = Phase::commit;
    read(roll_out_.tell());
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::roll);
    agree<SaveRecord>();
    EXPECT_EQ(asked<Wait>().until - context_.now, context_.inputs.policy.rollout.settle);
}

TEST_F(RollOutTest, EndsAtOnceIfNothingRuns) {
    add_unit(a, UnitStep::listed).batch = 0;
    read(roll_out_.tell());
    answer<SampleUnits>({stopped()});
    answer<SampleUnits>({stopped()});
    expect_next(ChapterName::finish);
}

TEST_F(RollOutTest, RestartsAUnitThatWasStartedSinceInABatchOfItsOwn) {
    add_unit(a, UnitStep::listed).batch = 0;
    read(roll_out_.tell());
    answer<SampleUnits>({stopped()});
    answer<SampleUnits>({a_});
    show_token(Holder::ours);
    EXPECT_EQ(asked<SaveRecord>().record.units.front().step, UnitStep::waiting);
    EXPECT_EQ(asked<SaveRecord>().record.batch, 1);
}

TEST_F(RollOutTest, ContinuesWithTheOpenBatchAndSkipsVerifiedUnits) {
    add_unit(a, UnitStep::verified);
    add_unit(b, UnitStep::waiting).batch = 2;
    context_.record.batch = 2;
    read(roll_out_.tell());
    answer<SampleUnits>({a_, b_});
    show_token(Holder::ours);
    EXPECT_EQ(asked<SaveRecord>().record.batch, 2);
    EXPECT_EQ(asked<SaveRecord>().record.units.back().invocation_before, "i-b")
        << "a process that starts later has read the new token";
}

TEST_F(RollOutTest, StartsOverIfTheTokenHasChanged) {
    add_unit(a, UnitStep::waiting);
    read(roll_out_.tell());
    answer<SampleUnits>({a_});
    show_token(Holder::other);
    show_token(Holder::other);
    agree<SaveRecord>();
    answer<KeepToken>({"id", "theirs"});
    agree<DeliverToken>();
    pass();
    show_token(Holder::ours);
    agree<SaveRecord>();
    expect_end(Ending::Kind::start_over);
}

}  // namespace
}  // namespace keyturn
