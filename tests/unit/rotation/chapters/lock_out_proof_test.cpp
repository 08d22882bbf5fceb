#include "rotation/lock_out_proof.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class LockOutProofTest : public ChapterAlone {
  protected:
    LockOutProofTest() {
        context_.record.request.kind = RotationKind::compromise;
        add_proven_unit();
    }
};

TEST_F(LockOutProofTest, EndsWhenNobodyButOursIsListedTwice) {
    read_part(lock_out_.await());
    answer<ListConnectors>({listed("c-a"), thief});
    answer<SampleUnits>({a_});
    EXPECT_EQ(asked<EvictConnector>().id, "thief");
    agree<EvictConnector>();
    for (int list = 0; list < 2; ++list) {
        EXPECT_FALSE(ending_);
        pass();
        answer<ListConnectors>({listed("c-a")});
        answer<SampleUnits>({a_});
    }
    answer<ReadToken>({Holder::ours, "new", {}});
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), ElementsAre(EventKind::connector_evicted, EventKind::locked_out));
}

TEST_F(LockOutProofTest, IsHeldIfTheStrangerStays) {
    read_part(lock_out_.await());
    while (!ending_) {
        answer<ListConnectors>({listed("c-a"), thief});
        answer<SampleUnits>({a_});
        agree<EvictConnector>();
        if (!ending_) pass();
    }
    expect_held(HoldReason::not_locked_out);
}

}  // namespace
}  // namespace keyturn
