#include "rotation/adoption.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class AdoptionTest : public ChapterAlone {
  protected:
    AdoptionTest() { add_unit(a, UnitStep::verified); }

    void adopt(const std::string& fingerprint) { read_part(adoption_.adopt(fingerprint)); }
};

TEST_F(AdoptionTest, RecordsTheForeignTokenBeforeItIsKept) {
    adopt("theirs");
    const RotationRecord& saved = asked<SaveRecord>().record;
    EXPECT_TRUE(saved.adopted);
    EXPECT_EQ(saved.phase, Phase::commit);
    EXPECT_EQ(saved.units.front().step, UnitStep::waiting) << "no unit is on it";
    agree<SaveRecord>();
    answer<AdoptToken>({"id", "theirs"});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.record.new_fingerprint, "theirs");
    EXPECT_THAT(told(), ElementsAre(EventKind::foreign_rotation));
}

TEST_F(AdoptionTest, FollowsATokenThatChangesOnceMoreMeanwhile) {
    adopt("theirs");
    agree<SaveRecord>();
    answer<AdoptToken>({"id", "another"});
    agree<SaveRecord>();
    EXPECT_EQ(asked<AdoptToken>().fingerprint, "another");
    answer<AdoptToken>({"id", "another"});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.record.new_fingerprint, "another");
}

TEST_F(AdoptionTest, ChangesNothingWhereOurTokenIsBackMeanwhile) {
    const RotationRecord before = context_.record;
    adopt("theirs");
    agree<SaveRecord>();
    answer<AdoptToken>({"id", "new"});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.record.units, before.units);
    EXPECT_FALSE(context_.record.adopted);
}

TEST_F(AdoptionTest, IsHeldForASecretThatWasRotatedAwayUntilAPersonSaysRetry) {
    context_.inputs.retired = {"theirs"};
    adopt("theirs");
    expect_held(HoldReason::retired_secret);
    context_.inputs.retried = true;
    adopt("theirs");
    EXPECT_FALSE(ending_);
}

TEST_F(AdoptionTest, IsHeldWhereSomebodyKeepsRotating) {
    for (const char* fingerprint : {"first", "second"}) {
        adopt(fingerprint);
        agree<SaveRecord>();
        answer<AdoptToken>({"id", fingerprint});
        expect_end(Ending::Kind::done);
    }
    adopt("third");
    expect_held(HoldReason::foreign_rotation);
    EXPECT_THAT(ending_->text, HasSubstr("audit log"));
}

}  // namespace
}  // namespace keyturn
