#include "rotation/bring_in.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class BringInTest : public ChapterAlone {
  protected:
    BringInTest() {
        context_.record = RotationRecord{};
        context_.record.phase = Phase::preflight;
        context_.record.request.kind = RotationKind::adopt;
    }

    void bring_in() { read(bring_in_.tell()); }

    /// Everything is as it must be, up to the check of the connectors.
    void pass_the_checks() {
        bring_in();
        EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::preflight);
        agree<SaveRecord>();
        show_token(Holder::other, "same");
        agree<InspectTunnel>();
        show_file("same");
        answer<InspectUnits>({{a, {}}, {b, {}}});
        answer<SampleUnits>({serving("i-a", "c-a", a), serving("i-b", "c-b", b)});
        answer<ListConnectors>({listed("c-a"), listed("c-b")});
    }

    void keep_the_token() {
        EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::prepare);
        agree<SaveRecord>();
        EXPECT_EQ(asked<KeepToken>().fingerprint, "same");
        EXPECT_TRUE(asked<KeepToken>().fresh_id);
        answer<KeepToken>({"id", "same"});
    }
};

TEST_F(BringInTest, KeepsTheTokenAndDeliversItAgain) {
    pass_the_checks();
    keep_the_token();
    const RotationRecord saved = asked<SaveRecord>().record;
    EXPECT_EQ(saved.phase, Phase::commit);
    EXPECT_EQ(saved.rotation_id, "id");
    EXPECT_EQ(saved.new_fingerprint, "same");
    agree<SaveRecord>();
    agree<DeliverToken>();
    show_token(Holder::ours);
    expect_next(ChapterName::window);
    EXPECT_FALSE(context_.record.committed) << "nothing goes to Cloudflare";
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_started, EventKind::token_delivered));
}

TEST_F(BringInTest, PlansOnlyTheUnitsThatMove) {
    context_.record.request.units = {b};
    pass_the_checks();
    const RotationRecord& record = context_.record;
    ASSERT_THAT(record.units, SizeIs(2));
    EXPECT_EQ(record.find(b)->step, UnitStep::waiting);
    EXPECT_EQ(record.find(b)->batch, 1);
    EXPECT_EQ(record.find(a)->step, UnitStep::verified);
    EXPECT_EQ(record.find(a)->batch, 0);
    EXPECT_EQ(record.find(a)->connector_after, "c-a");
    EXPECT_THAT(record.connectors_before, ElementsAre("c-b"));
    EXPECT_EQ(record.batch_count(), 1);
}

TEST_F(BringInTest, GoesOnWithTheDeliveryAfterACrash) {
    context_.record.phase = Phase::commit;
    context_.record.new_fingerprint = "same";
    bring_in();
    agree<DeliverToken>();
    show_token(Holder::ours);
    expect_next(ChapterName::window);
}

TEST_F(BringInTest, ChecksEverythingOnceMoreAfterACrashBeforeThat) {
    context_.record.phase = Phase::prepare;
    bring_in();
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::preflight);
}

TEST_F(BringInTest, IsRefusedIfTheTokenChangesBeforeItIsKept) {
    pass_the_checks();
    agree<SaveRecord>();
    answer<KeepToken>({"", "another"});
    expect_end(Ending::Kind::refused);
    EXPECT_THAT(ending_->text, HasSubstr("Cloudflare has another token than the token file"));
}

TEST_F(BringInTest, FollowsASecretThatSomebodyElseSetsAfterThat) {
    for (const Holder holder : {Holder::other, Holder::previous}) {
        context_.record = RotationRecord{};
        context_.record.request.kind = RotationKind::release;
        context_.record.phase = Phase::commit;
        context_.record.new_fingerprint = "same";
        bring_in();
        agree<DeliverToken>();
        show_token(holder, "theirs");
        EXPECT_TRUE(asked<SaveRecord>().record.foreign);
    }
}

TEST_F(BringInTest, WaitsForNothingBeforeItHasTouchedAnything) {
    bring_in();
    agree<SaveRecord>();
    keep_answering<ReadToken>(no_answer);
    expect_end(Ending::Kind::refused);
}

TEST_F(BringInTest, IsCalledOffInAPause) {
    context_.inputs.paused = true;
    pass_the_checks();
    keep_the_token();
    EXPECT_TRUE(is_asked<SampleUnits>()) << "it looks at the units in a pause";
    context_.revert_wanted = true;
    answer<SampleUnits>({a_, b_});
    pass();
    expect_end(Ending::Kind::refused);
}

}  // namespace
}  // namespace keyturn
