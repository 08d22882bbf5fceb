#include "rotation/finish.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class FinishTest : public ChapterAlone {
  protected:
    FinishTest() {
        add_proven_unit();
        context_.record.connectors_before = {"c-before"};
    }

    /// Passes the last check of the units, which are healthy.
    void come_to_the_list() {
        read(finish_.tell());
        agree<SaveRecord>();
        keep_answering<SampleUnits>(Samples{a_});
    }

    const Connector ours_ = listed("c-a");
    const Connector before_ = listed("c-before");
};

TEST_F(FinishTest, IsProvenOnTheDiskBeforeTheSecretsGo) {
    come_to_the_list();
    answer<ListConnectors>({ours_});
    show_token(Holder::ours);
    show_file();
    EXPECT_TRUE(asked<SaveRecord>().record.proven);
    agree<SaveRecord>();
    expect_next(ChapterName::conclusion);
}

TEST_F(FinishTest, IsHeldWhereCloudflareDoesNotListOurs) {
    come_to_the_list();
    keep_answering<ListConnectors>(std::vector{before_});
    expect_held(HoldReason::not_listed, a);
}

TEST_F(FinishTest, TellsOfConnectorsFromBeforeAndGoesOn) {
    come_to_the_list();
    keep_answering<ListConnectors>(std::vector{ours_, before_});
    EXPECT_THAT(told(), Contains(EventKind::straggler_seen));
    EXPECT_TRUE(is_asked<ReadToken>());
}

TEST_F(FinishTest, StartsOverWhereTheTokenHasChanged) {
    context_.record.request.kind = RotationKind::takeover;
    context_.inputs.policy.drift.restart = DriftRestart::never;
    read(finish_.tell());
    show_token(Holder::other);
    show_token(Holder::ours);
    agree<SaveRecord>();
    expect_end(Ending::Kind::start_over);
}

TEST_F(FinishTest, WipesTheSecretsBeforeTheHistoryIsWritten) {
    read(conclusion_.conclude());
    agree<ForgetSecrets>();
    const HistoryEntry& entry = asked<Conclude>().entry;
    EXPECT_EQ(entry.outcome, Outcome::done);
    EXPECT_EQ(entry.new_fingerprint, "new");
    agree<Conclude>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.view.state, RotationState::done);
}

TEST_F(FinishTest, TellsApartWhatItHasComeTo) {
    const auto outcome = [&] {
        read(conclusion_.conclude());
        agree<ForgetSecrets>();
        return asked<Conclude>().entry.outcome;
    };
    context_.record.reverting = "it died";
    EXPECT_EQ(outcome(), Outcome::reverted);
    context_.record.reverting.clear();
    context_.record.adopted = true;
    EXPECT_EQ(outcome(), Outcome::taken_over);
}

TEST_F(FinishTest, ARefusalIsOnTheDiskBeforeTheSecretsGo) {
    read(conclusion_.refuse("one replica only"));
    EXPECT_EQ(asked<SaveRecord>().record.refusal, "one replica only");
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::preflight);
    agree<SaveRecord>();
    agree<ForgetSecrets>();
    EXPECT_EQ(asked<Conclude>().entry.outcome, Outcome::refused);
    agree<Conclude>();
    EXPECT_EQ(context_.view.state, RotationState::refused);
    EXPECT_THAT(context_.view.reason, HasSubstr("one replica only"));
}

}  // namespace
}  // namespace keyturn
