#include "rotation/commit.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class CommitTest : public ChapterAlone {
  protected:
    CommitTest() {
        context_.record.phase = Phase::prepare;
        add_unit(a, UnitStep::waiting);
    }
};

TEST_F(CommitTest, DeliversRightAfterThePatchAndIsOnTheDiskBefore) {
    read(commit_.tell());
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::commit);
    agree<SaveRecord>();
    answer<CommitSecret>({true});
    agree<DeliverToken>();
    show_token(Holder::ours);
    expect_next(ChapterName::window);
    EXPECT_TRUE(context_.record.committed);
    EXPECT_THAT(told(), ElementsAre(EventKind::secret_committed, EventKind::token_delivered));
}

TEST_F(CommitTest, AsksFirstAfterACrash) {
    context_.record.phase = Phase::commit;
    read(commit_.tell());
    show_token(Holder::ours);
    agree<DeliverToken>();
    show_token(Holder::ours);
    expect_next(ChapterName::window);
}

TEST_F(CommitTest, StandsStillBeforeThePatchIfAnOperatorHasPausedIt) {
    context_.inputs.paused = true;
    read(commit_.tell());
    answer<SampleUnits>({a_});
    EXPECT_EQ(context_.view.state, RotationState::paused);
    context_.revert_wanted = true;
    pass();
    expect_end(Ending::Kind::refused);
}

TEST_F(CommitTest, AHoldInFrontOfThePatchIsNotResumedBehindIt) {
    read(commit_.tell());
    answer<SaveRecord>(Error{Fault::silent, "b has not stored the token", {}});
    expect_held(HoldReason::host_silent);
    EXPECT_EQ(context_.record.phase, Phase::prepare);
}

TEST_F(CommitTest, DropsStrangersBeforeTheApiShowsTheNewToken) {
    context_.record.request.kind = RotationKind::compromise;
    context_.record.request.evict_all = true;
    read_part(commit_.commit());
    agree<SaveRecord>();
    answer<CommitSecret>({false});
    agree<DeliverToken>();
    EXPECT_EQ(asked<EvictConnector>().id, "") << "everybody";
    agree<EvictConnector>();
    EXPECT_TRUE(asked<SaveRecord>().record.evicted);
    agree<SaveRecord>();
    show_token(Holder::ours);
    expect_end(Ending::Kind::done);
}

}  // namespace
}  // namespace keyturn
