#include "rotation/take_over.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class TakeOverTest : public ChapterAlone {
  protected:
    TakeOverTest() {
        context_.record = RotationRecord();
        context_.record.phase = Phase::preflight;
        context_.record.request.kind = RotationKind::takeover;
    }
};

TEST_F(TakeOverTest, DeliversWhateverStateTheUnitsAreIn) {
    read(take_over_.tell());
    agree<SaveRecord>();
    show_file("old");
    answer<InspectUnits>({{a, "it is masked"}});
    answer<SampleUnits>({stopped()});
    agree<ListConnectors>();
    show_token(Holder::other);
    agree<SaveRecord>();
    answer<KeepToken>({"id", "theirs"});
    agree<DeliverToken>();
    show_token(Holder::ours);
    expect_next(ChapterName::window);
    EXPECT_THAT(told(), ElementsAre(EventKind::unit_left_stopped, EventKind::foreign_rotation,
                                    EventKind::token_delivered));
}

TEST_F(TakeOverTest, IsRefusedIfTheDeliveredTokenIsBack) {
    read(take_over_.tell());
    agree<SaveRecord>();
    show_file("old");
    answer<InspectUnits>({{a, {}}});
    answer<SampleUnits>({a_});
    agree<ListConnectors>();
    show_token(Holder::other, "old");
    expect_end(Ending::Kind::refused);
}

}  // namespace
}  // namespace keyturn
