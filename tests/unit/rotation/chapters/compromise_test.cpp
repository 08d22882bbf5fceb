#include "rotation/compromise.hpp"

#include "rotation/adoption.hpp"
#include "rotation/commit.hpp"
#include "rotation/eviction.hpp"
#include "rotation/hurried_plan.hpp"
#include "rotation/lock_out_proof.hpp"
#include "rotation/preparation.hpp"
#include "rotation/proof.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using Holder = ReadToken::Holder;
using testing::Contains;
using testing::IsEmpty;

class CompromiseTest : public ChapterAlone {
  protected:
    CompromiseTest() { context_.record.request.kind = RotationKind::compromise; }

    void inspect(InspectUnits::Value units, const Samples& samples) {
        answer<InspectUnits>(std::move(units));
        answer<SampleUnits>(samples);
    }

    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
    Preparation preparation_{context_};
    HurriedPlan plan_{context_, preparation_};
    Eviction eviction_{context_, plan_, handover_};
    Commit commit_{context_, handover_, token_, eviction_};
    Compromise compromise_{context_, plan_, preparation_, commit_, eviction_, handover_, token_};
    LockOutProof lock_out_{context_, eviction_, proof_};
};

TEST_F(CompromiseTest, SendsTheSecretAlsoWhereSystemdDoesNotAnswer) {
    read(compromise_.tell());
    agree<SaveRecord>();
    for (int attempt = 0; attempt < 3; ++attempt) {
        answer<InspectUnits>(no_answer);
        answer<SampleUnits>(no_answer);
        if (attempt < 2) pass();
    }
    answer<CheckFiles>(CheckFiles::Value{"old", false});
    agree<SaveRecord>();
    answer<PrepareSecret>(PrepareSecret::Value{"id", "old", "new"});
    agree<SaveRecord>();
    answer<CommitSecret>(CommitSecret::Value{false});
    EXPECT_FALSE(plan_.known());
    EXPECT_THAT(context_.record.units, IsEmpty());
}

TEST_F(CompromiseTest, IsRefusedWhereNoNamedUnitIsAConnector) {
    read_part(plan_.make());
    agree<SaveRecord>();
    InspectUnits::Unit other{"sshd.service", {}};
    other.passed_over = true;
    other.findings = {"it is no connector"};
    inspect({other}, {});
    answer<CheckFiles>(CheckFiles::Value{"old", false});
    expect_end(Ending::Kind::refused);
}

TEST_F(CompromiseTest, RestartsAllAtOnceWhereAllWereDropped) {
    context_.inputs.record = context_.record;
    context_.record.phase = Phase::roll;
    context_.record.request.evict_all = context_.record.evicted = true;
    add_unit("a.service", UnitStep::waiting);
    add_unit("b.service", UnitStep::waiting).batch = 2;
    read(compromise_.tell());
    answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
    answer<DeliverToken>(DeliverToken::Value{});
    const Samples samples{serving("i-a", "c-a"), serving("i-b", "c-b")};
    inspect({{"a.service", {}}, {"b.service", {}}}, samples);
    answer<CheckFiles>(CheckFiles::Value{"new", false});
    agree<WipeOldSecret>();
    answer<SampleUnits>(samples);
    EXPECT_EQ(asked<SaveRecord>().record.batch_count(), 1);
    agree<SaveRecord>();
    answer<CheckFiles>(CheckFiles::Value{"new", false});
    EXPECT_EQ(asked<RestartUnit>().deadline, 0ms) << "nobody waits for the first";
    answer<RestartUnit>(RestartResult(JobResult::queued));
    EXPECT_EQ(asked<RestartUnit>().unit, "b.service");
    answer<RestartUnit>(RestartResult(JobResult::queued));
    expect_next(ChapterName::window);
}

TEST_F(CompromiseTest, TakesInWhomTheCorrectedPolicyNames) {
    add_unit("a.service", UnitStep::verified);
    read_part(plan_.take_in_new_units());
    inspect({{"a.service", {}}, {"b.service", {}}}, {serving("i-a", "c-a"), serving("i-b", "c-b")});
    answer<CheckFiles>(CheckFiles::Value{"new", false});
    ASSERT_EQ(context_.record.units.size(), 2U);
    EXPECT_EQ(context_.record.find("a.service")->step, UnitStep::verified);
    EXPECT_EQ(context_.record.find("b.service")->step, UnitStep::waiting);
}

TEST_F(CompromiseTest, EndsWhenNobodyButOursIsListedTwice) {
    UnitProgress& unit = add_unit("a.service", UnitStep::verified);
    unit.connector_after = "c-a";
    unit.invocation_after = "i-a";
    read_part(lock_out_.await());
    const std::vector<Connector> ours{{"c-a", "192.0.2.1", "", "", 4}};
    std::vector<Connector> with_thief = ours;
    with_thief.push_back({"thief", "198.51.100.7", "", "", 4});
    answer<ListConnectors>(with_thief);
    answer<SampleUnits>(Samples{serving("i-a", "c-a")});
    EXPECT_EQ(asked<EvictConnector>().id, "thief");
    agree<EvictConnector>();
    for (int list = 0; list < 2; ++list) {
        EXPECT_FALSE(ending_);
        pass();
        answer<ListConnectors>(ours);
        answer<SampleUnits>(Samples{serving("i-a", "c-a")});
    }
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), Contains(EventKind::locked_out));
}

TEST_F(CompromiseTest, IsHeldWhereTheStrangerStays) {
    UnitProgress& unit = add_unit("a.service", UnitStep::verified);
    unit.connector_after = "c-a";
    unit.invocation_after = "i-a";
    read_part(lock_out_.await());
    while (!ending_) {
        answer<ListConnectors>(std::vector<Connector>{{"c-a", "192.0.2.1", "", "", 4},
                                                      {"thief", "198.51.100.7", "", "", 4}});
        answer<SampleUnits>(Samples{serving("i-a", "c-a")});
        agree<EvictConnector>();
        if (!ending_) pass();
    }
    expect_held(HoldReason::not_locked_out);
}

}  // namespace
}  // namespace keyturn
