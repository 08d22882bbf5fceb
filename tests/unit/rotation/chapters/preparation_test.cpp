#include "rotation/preparation.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class PreparationTest : public ChapterAlone {
  protected:
    /// Two units that serve with the old token, and nothing wrong.
    void answer_what_is_asked() {
        show_token(Holder::previous);
        agree<InspectTunnel>();
        show_file("old");
        answer<InspectUnits>({{a, {}}, {b, {}}});
        answer<SampleUnits>({a_, b_});
        answer<ListConnectors>(connectors_);
    }

    std::vector<Connector> connectors_{listed("c-a"), listed("c-b")};
};

TEST_F(PreparationTest, KeepsTheRequestAndThenThePlanOnTheDisk) {
    read(preparation_.tell());
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::preflight);
    agree<SaveRecord>();
    answer_what_is_asked();
    const RotationRecord& saved = asked<SaveRecord>().record;
    EXPECT_EQ(saved.phase, Phase::prepare);
    EXPECT_EQ(saved.batch_count(), 2);
    EXPECT_EQ(saved.connectors_before.size(), 2U);
    agree<SaveRecord>();
    answer<PrepareSecret>({"id", "old", "new"});
    expect_next(ChapterName::commit);
    EXPECT_EQ(context_.record.rotation_id, "id");
    EXPECT_EQ(context_.record.units.front().invocation_old, "i-a");
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_started, EventKind::secret_prepared));
}

TEST_F(PreparationTest, IsRefusedWithEveryProblemAtOnce) {
    connectors_.push_back(thief);
    context_.inputs.policy.rollout.min_available = 2;
    read(preparation_.tell());
    agree<SaveRecord>();
    answer_what_is_asked();
    expect_end(Ending::Kind::refused);
    EXPECT_THAT(ending_->text, HasSubstr("min_available"));
    EXPECT_THAT(ending_->text, HasSubstr("thief"));
}

TEST_F(PreparationTest, AsksThreeTimesBeforeItIsRefusedForAnApiThatIsDown) {
    read(preparation_.tell());
    agree<SaveRecord>();
    for (int attempt = 1; attempt <= 3; ++attempt) {
        answer<ReadToken>(no_answer);
        if (attempt < 3) pass();
    }
    expect_end(Ending::Kind::refused);
}

TEST_F(PreparationTest, AssumesThatUnitsRunOnTheOldTokenOnlyIfTheFileHoldsIt) {
    add_unit(a, UnitStep::waiting).invocation_old = "i-a";
    context_.record.old_fingerprint = "something else";
    read_part(preparation_.prepare());
    agree<SaveRecord>();
    answer<PrepareSecret>({"id", "old", "new"});
    EXPECT_EQ(context_.record.units.front().invocation_old, "");
}

}  // namespace
}  // namespace keyturn
