#include "rotation/commit.hpp"

#include "rotation/adoption.hpp"
#include "rotation/eviction.hpp"
#include "rotation/hurried_plan.hpp"
#include "rotation/preparation.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Holder = ReadToken::Holder;

class CommitTest : public ChapterAlone {
  protected:
    CommitTest() {
        context_.record.phase = Phase::prepare;
        add_unit("a.service", UnitStep::waiting);
    }

    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    Preparation preparation_{context_};
    HurriedPlan plan_{context_, preparation_};
    Eviction eviction_{context_, plan_, handover_};
    Commit commit_{context_, handover_, token_, eviction_};
};

TEST_F(CommitTest, DeliversRightAfterThePatchAndIsOnTheDiskBefore) {
    read(commit_.tell());
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::commit);
    agree<SaveRecord>();
    answer<CommitSecret>(CommitSecret::Value{true});
    answer<DeliverToken>(DeliverToken::Value{});
    answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
    expect_next(ChapterName::window);
    EXPECT_TRUE(context_.record.committed);
}

TEST_F(CommitTest, AsksFirstAfterACrash) {
    context_.record.phase = Phase::commit;
    read(commit_.tell());
    answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
    answer<DeliverToken>(DeliverToken::Value{});
    answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
    expect_next(ChapterName::window);
}

TEST_F(CommitTest, StandsStillBeforeThePatchWhereAnOperatorHasPausedIt) {
    context_.inputs.paused = true;
    read(commit_.tell());
    answer<SampleUnits>(SampleUnits::Value{serving("i", "c")});
    EXPECT_EQ(context_.view.state, RotationState::paused);
    context_.revert_wanted = true;
    pass();
    expect_end(Ending::Kind::refused);
}

TEST_F(CommitTest, DropsStrangersBeforeTheApiShowsTheNewToken) {
    context_.record.request.kind = RotationKind::compromise;
    context_.record.request.evict_all = true;
    read_part(commit_.commit());
    agree<SaveRecord>();
    answer<CommitSecret>(CommitSecret::Value{false});
    answer<DeliverToken>(DeliverToken::Value{});
    EXPECT_EQ(asked<EvictConnector>().id, "") << "everybody";
    agree<EvictConnector>();
    EXPECT_TRUE(asked<SaveRecord>().record.evicted);
    agree<SaveRecord>();
    answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
    expect_end(Ending::Kind::done);
}

}  // namespace
}  // namespace keyturn
