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

TEST_F(CompromiseTest, SendsTheSecretAlsoIfSystemdDoesNotAnswer) {
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

TEST_F(CompromiseTest, RestartsAllAtOnceIfAllWereDropped) {
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
    EXPECT_THAT(told(), ElementsAre(EventKind::token_delivered, EventKind::batch_started,
                                    EventKind::unit_restarting, EventKind::unit_restarting));
}

}  // namespace
}  // namespace keyturn
