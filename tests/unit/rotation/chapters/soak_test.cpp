#include "rotation/soak.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class SoakChapterTest : public ChapterAlone {
  protected:
    SoakChapterTest() {
        add_proven_unit();
        add_unit(b, UnitStep::waiting).invocation_before = "i-b";
    }

    /// One look at the units after the next pause.
    void look(const Sample& first, const Sample& second) {
        pass();
        answer<SampleUnits>({first, second});
        // Sometimes it asks Cloudflare as well.
        if (!ending_ && is_asked<ReadToken>()) show_token(Holder::ours);
    }

    void begin() {
        read_part(soak_.soak_out());
        EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::soak);
        agree<SaveRecord>();
    }
};

TEST_F(SoakChapterTest, PassesAfterItsWholeLengthWithoutADisturbance) {
    begin();
    const BootTime start = context_.now;
    while (!ending_) look(a_, b_);
    expect_end(Ending::Kind::done);
    EXPECT_GE(context_.now - start, context_.inputs.policy.rollout.soak);
    EXPECT_THAT(told(), ElementsAre(EventKind::soak_started, EventKind::soak_ended));
}

TEST_F(SoakChapterTest, IsHeldIfARestartedUnitDies) {
    begin();
    look(a_, b_);
    look(stopped(), b_);
    expect_held(HoldReason::verification_failed, a);
}

TEST_F(SoakChapterTest, PromotesAUnitThatHasLostEveryConnection) {
    begin();
    for (int looks = 0; looks < 2; ++looks) look(a_, idle_b_);
    EXPECT_THAT(told(), Contains(EventKind::replica_promoted));
    answer<SampleUnits>({a_, idle_b_});
    EXPECT_EQ(asked<SaveRecord>().record.units.back().step, UnitStep::restarting);
}

TEST_F(SoakChapterTest, PromotesNothingWhileTheNetworkIsDown) {
    begin();
    for (int looks = 0; looks < 10; ++looks) look(idle_a_, idle_b_);
    EXPECT_FALSE(ending_);
    EXPECT_THAT(told(), Not(Contains(EventKind::replica_promoted)));
}

TEST_F(SoakChapterTest, DoesNotPassWhileARestartedUnitCannotBeAsked) {
    begin();
    const BootTime start = context_.now;
    while (context_.now - start < 2 * context_.inputs.policy.rollout.soak) look(silent_a_, b_);
    EXPECT_FALSE(ending_);
    EXPECT_EQ(context_.view.state, RotationState::waiting);
}

TEST_F(SoakChapterTest, IsSkippedInARevertAndAfterACompromise) {
    context_.record.request.kind = RotationKind::compromise;
    read_part(soak_.soak_out());
    expect_end(Ending::Kind::done);
    context_.record.request.kind = RotationKind::routine;
    context_.record.reverting = "it died";
    read_part(soak_.soak_out());
    expect_end(Ending::Kind::done);
}

}  // namespace
}  // namespace keyturn
