#include "rotation/preparation.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Holder = ReadToken::Holder;
using testing::HasSubstr;

class PreparationTest : public ChapterAlone {
  protected:
    /// Two units that serve with the old token, and nothing wrong.
    void answer_what_is_asked() {
        answer<ReadToken>(ReadToken::Value{Holder::previous, "old", {}});
        answer<InspectTunnel>(InspectTunnel::Value{});
        answer<CheckFiles>(CheckFiles::Value{"old", false});
        answer<InspectUnits>(InspectUnits::Value{{"a.service", {}}, {"b.service", {}}});
        answer<SampleUnits>(SampleUnits::Value{serving("i-a", "c-a"), serving("i-b", "c-b")});
        answer<ListConnectors>(connectors_);
    }

    std::vector<Connector> connectors_{{"c-a", "192.0.2.1", "", "", 4},
                                       {"c-b", "192.0.2.1", "", "", 4}};
    Preparation preparation_{context_};
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
    answer<PrepareSecret>(PrepareSecret::Value{"id", "old", "new"});
    expect_next(ChapterName::commit);
    EXPECT_EQ(context_.record.rotation_id, "id");
    EXPECT_EQ(context_.record.units.front().invocation_old, "i-a");
}

TEST_F(PreparationTest, IsRefusedWithEveryProblemAtOnce) {
    connectors_.push_back({"stranger", "198.51.100.7", "", "", 4});
    context_.inputs.policy.rollout.min_available = 2;
    read(preparation_.tell());
    agree<SaveRecord>();
    answer_what_is_asked();
    expect_end(Ending::Kind::refused);
    EXPECT_THAT(ending_->text, HasSubstr("min_available"));
    EXPECT_THAT(ending_->text, HasSubstr("stranger"));
}

TEST_F(PreparationTest, AsksThreeTimesBeforeItIsRefusedForAnApiThatIsDown) {
    read(preparation_.tell());
    agree<SaveRecord>();
    answer<ReadToken>(no_answer);
    pass();
    answer<ReadToken>(no_answer);
    pass();
    answer<ReadToken>(no_answer);
    expect_end(Ending::Kind::refused);
}

TEST_F(PreparationTest, TakesUnitsToRunOnTheOldTokenOnlyWhereTheFileHoldsIt) {
    add_unit("a.service", UnitStep::waiting).invocation_old = "i-a";
    context_.record.old_fingerprint = "something else";
    read_part(preparation_.prepare());
    agree<SaveRecord>();
    answer<PrepareSecret>(PrepareSecret::Value{"id", "old", "new"});
    EXPECT_EQ(context_.record.units.front().invocation_old, "");
}

}  // namespace
}  // namespace keyturn
