#include "rotation/compromise.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class CompromiseTest : public ChapterAlone {
  protected:
    CompromiseTest() { context_.record.request.kind = RotationKind::compromise; }

    void inspect(InspectUnits::Value units, const Samples& samples) {
        answer<InspectUnits>(std::move(units));
        answer<SampleUnits>(samples);
    }
};

TEST_F(CompromiseTest, SendsTheSecretAlsoWhereSystemdDoesNotAnswer) {
    read(compromise_.tell());
    agree<SaveRecord>();
    for (int attempt = 0; attempt < 3; ++attempt) {
        answer<InspectUnits>(no_answer);
        answer<SampleUnits>(no_answer);
        if (attempt < 2) pass();
    }
    show_file("old");
    agree<SaveRecord>();
    answer<PrepareSecret>({"id", "old", "new"});
    agree<SaveRecord>();
    answer<CommitSecret>({false});
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
    show_file("old");
    expect_end(Ending::Kind::refused);
}

TEST_F(CompromiseTest, RestartsAllAtOnceWhereAllWereDropped) {
    context_.inputs.record = context_.record;
    context_.record.phase = Phase::roll;
    context_.record.request.evict_all = context_.record.evicted = true;
    add_unit(a, UnitStep::waiting);
    add_unit(b, UnitStep::waiting).batch = 2;
    read(compromise_.tell());
    show_token(Holder::ours);
    agree<DeliverToken>();
    const Samples samples{a_, b_};
    inspect({{a, {}}, {b, {}}}, samples);
    show_file();
    agree<WipeOldSecret>();
    answer<SampleUnits>(samples);
    EXPECT_EQ(asked<SaveRecord>().record.batch_count(), 1);
    agree<SaveRecord>();
    show_file();
    EXPECT_EQ(asked<RestartUnit>().deadline, 0ms) << "nobody waits for the first";
    answer<RestartUnit>(JobResult::queued);
    EXPECT_EQ(asked<RestartUnit>().unit, b);
    answer<RestartUnit>(JobResult::queued);
    expect_next(ChapterName::window);
}

TEST_F(CompromiseTest, TakesInWhomTheCorrectedPolicyNames) {
    add_unit(a, UnitStep::verified);
    read_part(plan_.take_in_new_units());
    inspect({{a, {}}, {b, {}}}, {a_, b_});
    show_file();
    ASSERT_THAT(context_.record.units, SizeIs(2));
    EXPECT_EQ(context_.record.find(a)->step, UnitStep::verified);
    EXPECT_EQ(context_.record.find(b)->step, UnitStep::waiting);
}

TEST_F(CompromiseTest, EndsWhenNobodyButOursIsListedTwice) {
    add_proven_unit();
    read_part(lock_out_.await());
    answer<ListConnectors>({listed("c-a"), thief});
    answer<SampleUnits>({a_});
    EXPECT_EQ(asked<EvictConnector>().id, "thief");
    agree<EvictConnector>();
    for (int list = 0; list < 2; ++list) {
        EXPECT_FALSE(ending_);
        pass();
        answer<ListConnectors>({listed("c-a")});
        answer<SampleUnits>({a_});
    }
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), Contains(EventKind::locked_out));
}

TEST_F(CompromiseTest, IsHeldWhereTheStrangerStays) {
    add_proven_unit();
    read_part(lock_out_.await());
    while (!ending_) {
        answer<ListConnectors>({listed("c-a"), thief});
        answer<SampleUnits>({a_});
        agree<EvictConnector>();
        if (!ending_) pass();
    }
    expect_held(HoldReason::not_locked_out);
}

}  // namespace
}  // namespace keyturn
