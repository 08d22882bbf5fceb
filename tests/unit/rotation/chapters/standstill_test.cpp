#include "rotation/standstill.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class StandstillTest : public ChapterAlone {
  protected:
    StandstillTest() { add_unit(a, UnitStep::waiting); }

    void hold() { read(standstill_.hold(Ending::held(HoldReason::denied, "no", a))); }

    void look(const Sample& sample) {
        answer<SampleUnits>({sample});
        pass();
    }
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
    answer<SaveRecord>(disk_full);
    answer<SaveRecord>(disk_full);
    look(a_);
    agree<SaveRecord>();
    look(a_);
    EXPECT_TRUE(is_asked<SampleUnits>()) << "once is enough";
}

TEST_F(StandstillTest, RaisesTheAlarmEachTimeTooFewServe) {
    hold();
    agree<SaveRecord>();
    look(a_);
    look(idle_a_);
    look(idle_a_);
    look(silent_a_);  // This changes nothing.
    look(idle_a_);
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_held, EventKind::hold_urgent,
                                    EventKind::hold_urgent));
}

TEST_F(StandstillTest, NamesTheWayBackOnlyIfThereIsOne) {
    context_.record.committed = WallTime{};
    hold();
    agree<SaveRecord>();
    EXPECT_THAT(context_.events.back().message, HasSubstr("keyturnctl revert web"));
    context_.record.hold.reset();
    context_.record.request.kind = RotationKind::compromise;
    hold();
    agree<SaveRecord>();
    EXPECT_THAT(context_.events.back().message, Not(HasSubstr("revert")));
}

TEST_F(StandstillTest, EndsOnlyWhenAnOperatorReverts) {
    context_.record.phase = Phase::roll;
    hold();
    agree<SaveRecord>();
    for (int looks = 0; looks < 100; ++looks) look(a_);
    EXPECT_FALSE(ending_);
    context_.revert_wanted = true;
    look(a_);
    expect_end(Ending::Kind::go_back);
}

TEST_F(StandstillTest, APauseEndsWhenItIsTakenOff) {
    context_.inputs.paused = true;
    read_part(standstill_.pause());
    look(a_);
    EXPECT_EQ(context_.view.state, RotationState::paused);
    context_.inputs.paused = false;
    look(a_);
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_paused, EventKind::rotation_continued));
}

}  // namespace
}  // namespace keyturn
