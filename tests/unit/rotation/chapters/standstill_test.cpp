#include "rotation/standstill.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StandstillTest : public ChapterAlone {
  protected:
    StandstillTest() { add_unit("a.service", UnitStep::waiting); }

    void hold() { read(standstill_.hold(Ending::held(HoldReason::denied, "no", "a.service"))); }

    void look(const SampleUnits::Sample& sample) {
        answer<SampleUnits>(Samples{sample});
        pass();
    }

    const SampleUnits::Sample well_ = serving("i", "c");
    Standstill standstill_{context_};
};

TEST_F(StandstillTest, IsOnTheDiskBeforeItIsTold) {
    hold();
    EXPECT_EQ(asked<SaveRecord>().record.hold->reason, HoldReason::denied);
    EXPECT_THAT(told(), IsEmpty());
    agree<SaveRecord>();
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_held));
    EXPECT_EQ(context_.view.state, RotationState::held);
}

TEST_F(StandstillTest, IsWrittenAgainUntilTheDiskTakesIt) {
    hold();
    answer<SaveRecord>(Error{Fault::storage, "the disk is full", {}});
    answer<SaveRecord>(Error{Fault::storage, "the disk is full", {}});
    look(well_);
    agree<SaveRecord>();
    look(well_);
    EXPECT_TRUE(std::holds_alternative<SampleUnits>(*context_.action)) << "once is enough";
}

TEST_F(StandstillTest, RaisesTheAlarmEachTimeTooFewServe) {
    hold();
    agree<SaveRecord>();
    look(well_);
    look(idle("i", "c"));
    look(idle("i", "c"));
    look(silent("i"));  // Says nothing.
    look(idle("i", "c"));
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_held, EventKind::hold_urgent,
                                    EventKind::hold_urgent));
}

TEST_F(StandstillTest, NamesTheWayBackOnlyWhereThereIsOne) {
    context_.record.committed = WallTime{};
    hold();
    agree<SaveRecord>();
    EXPECT_THAT(context_.events.back().message, HasSubstr("keyturnctl revert web"));
    context_.record.hold.reset();
    context_.record.request.kind = RotationKind::compromise;
    hold();
    agree<SaveRecord>();
    EXPECT_THAT(context_.events.back().message, testing::Not(HasSubstr("revert")));
}

TEST_F(StandstillTest, EndsOnlyByAnOperatorWhoWantsToGoBack) {
    context_.record.phase = Phase::roll;
    hold();
    agree<SaveRecord>();
    for (int looks = 0; looks < 100; ++looks) look(well_);
    EXPECT_FALSE(ending_);
    context_.revert_wanted = true;
    look(well_);
    expect_end(Ending::Kind::go_back);
}

TEST_F(StandstillTest, APauseEndsWhenItIsTakenOff) {
    context_.inputs.paused = true;
    read_part(standstill_.pause());
    look(well_);
    EXPECT_EQ(context_.view.state, RotationState::paused);
    context_.inputs.paused = false;
    look(well_);
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_paused, EventKind::rotation_continued));
}

}  // namespace
}  // namespace keyturn
