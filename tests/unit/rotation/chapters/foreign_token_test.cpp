#include "rotation/foreign_token.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class ForeignTokenTest : public ChapterAlone {
  protected:
    ForeignTokenTest() { add_unit(a, UnitStep::verified); }

    void take_over(const std::string& fingerprint) { read_part(foreign_.take_over(fingerprint)); }
};

TEST_F(ForeignTokenTest, RecordsTheForeignTokenBeforeItIsKept) {
    take_over("theirs");
    const RotationRecord& saved = asked<SaveRecord>().record;
    EXPECT_TRUE(saved.foreign);
    EXPECT_EQ(saved.phase, Phase::commit);
    EXPECT_EQ(saved.units.front().step, UnitStep::waiting) << "no unit is on it";
    agree<SaveRecord>();
    answer<KeepToken>({"id", "theirs"});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.record.new_fingerprint, "theirs");
    EXPECT_THAT(told(), ElementsAre(EventKind::foreign_rotation));
}

TEST_F(ForeignTokenTest, FollowsATokenThatChangesOnceMoreMeanwhile) {
    take_over("theirs");
    agree<SaveRecord>();
    answer<KeepToken>({"id", "another"});
    agree<SaveRecord>();
    EXPECT_EQ(asked<KeepToken>().fingerprint, "another");
    answer<KeepToken>({"id", "another"});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.record.new_fingerprint, "another");
}

TEST_F(ForeignTokenTest, ChangesNothingIfOurTokenIsBackMeanwhile) {
    const RotationRecord before = context_.record;
    take_over("theirs");
    agree<SaveRecord>();
    answer<KeepToken>({"id", "new"});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.record.units, before.units);
    EXPECT_FALSE(context_.record.foreign);
}

TEST_F(ForeignTokenTest, IsHeldForASecretThatWasRotatedAwayUntilAPersonSaysRetry) {
    context_.inputs.retired = {"theirs"};
    take_over("theirs");
    expect_held(HoldReason::retired_secret);
    context_.inputs.retried = true;
    take_over("theirs");
    EXPECT_FALSE(ending_);
}

TEST_F(ForeignTokenTest, IsHeldIfSomebodyKeepsRotating) {
    for (const char* fingerprint : {"first", "second"}) {
        take_over(fingerprint);
        agree<SaveRecord>();
        answer<KeepToken>({"id", fingerprint});
        expect_end(Ending::Kind::done);
    }
    take_over("third");
    expect_held(HoldReason::foreign_rotation);
    EXPECT_THAT(ending_->text, HasSubstr("audit log"));
}

}  // namespace
}  // namespace keyturn
