#include "rotation/conclusion.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using ConclusionTest = ChapterAlone;

TEST_F(ConclusionTest, WipesTheSecretsBeforeTheHistoryIsWritten) {
    read(conclusion_.conclude());
    agree<ForgetSecrets>();
    const HistoryEntry& entry = asked<Conclude>().entry;
    EXPECT_EQ(entry.outcome, Outcome::done);
    EXPECT_EQ(entry.new_fingerprint, "new");
    agree<Conclude>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.view.state, RotationState::done);
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_done));
}

TEST_F(ConclusionTest, TellsTheOutcomesApart) {
    const auto outcome = [&] {
        read(conclusion_.conclude());
        agree<ForgetSecrets>();
        return asked<Conclude>().entry.outcome;
    };
    context_.record.reverting = "it died";
    EXPECT_EQ(outcome(), Outcome::reverted);
    context_.record.reverting.clear();
    context_.record.foreign = true;
    EXPECT_EQ(outcome(), Outcome::taken_over);
}

TEST_F(ConclusionTest, ARefusalIsOnTheDiskBeforeTheSecretsGo) {
    read(conclusion_.refuse("one replica only"));
    EXPECT_EQ(asked<SaveRecord>().record.refusal, "one replica only");
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::preflight);
    agree<SaveRecord>();
    agree<ForgetSecrets>();
    EXPECT_EQ(asked<Conclude>().entry.outcome, Outcome::refused);
    agree<Conclude>();
    EXPECT_EQ(context_.view.state, RotationState::refused);
    EXPECT_THAT(context_.view.reason, HasSubstr("one replica only"));
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_refused));
}

}  // namespace
}  // namespace keyturn
