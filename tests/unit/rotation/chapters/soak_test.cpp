#include "rotation/soak.hpp"

#include "rotation/adoption.hpp"
#include "rotation/capacity.hpp"
#include "rotation/proof.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using Holder = ReadToken::Holder;
using testing::Contains;

class SoakChapterTest : public ChapterAlone {
  protected:
    SoakChapterTest() {
        UnitProgress& restarted = add_unit("a.service", UnitStep::verified);
        restarted.connector_after = "c-a";
        restarted.invocation_after = "i-a";
        add_unit("b.service", UnitStep::waiting).invocation_before = "i-b";
    }

    /// One look at the units after the next pause.
    void look(const SampleUnits::Sample& a, const SampleUnits::Sample& b) {
        pass();
        answer<SampleUnits>(Samples{a, b});
        // Cloudflare is asked now and then.
        if (!ending_ && std::holds_alternative<ReadToken>(*context_.action)) {
            answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
        }
    }

    void begin() {
        read_part(soak_.soak_out());
        EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::soak);
        agree<SaveRecord>();
    }

    const SampleUnits::Sample a_ = serving("i-a", "c-a");
    const SampleUnits::Sample b_ = serving("i-b", "c-b");
    Capacity capacity_{context_};
    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
    UnitRestart restart_{context_, capacity_, handover_, proof_};
    Soak soak_{context_, token_, proof_, restart_};
};

TEST_F(SoakChapterTest, PassesAfterItsWholeLengthWithoutADisturbance) {
    begin();
    const BootTime start = context_.now;
    while (!ending_) look(a_, b_);
    expect_end(Ending::Kind::done);
    EXPECT_GE(context_.now - start, context_.inputs.policy.rollout.soak);
    EXPECT_THAT(told(), Contains(EventKind::soak_ended));
}

TEST_F(SoakChapterTest, IsHeldWhereARestartedUnitDies) {
    begin();
    look(a_, b_);
    look(stopped(), b_);
    expect_held(HoldReason::verification_failed, "a.service");
}

TEST_F(SoakChapterTest, GoesOnWithAUnitThatHasLostEveryConnection) {
    begin();
    for (int looks = 0; looks < 2; ++looks) look(a_, idle("i-b", "c-b"));
    EXPECT_THAT(told(), Contains(EventKind::replica_promoted));
    answer<SampleUnits>(Samples{a_, idle("i-b", "c-b")});
    EXPECT_EQ(asked<SaveRecord>().record.units.back().step, UnitStep::restarting);
}

TEST_F(SoakChapterTest, PromotesNobodyWhereTheNetworkIsDown) {
    begin();
    for (int looks = 0; looks < 10; ++looks) look(idle("i-a", "c-a"), idle("i-b", "c-b"));
    EXPECT_FALSE(ending_);
    EXPECT_THAT(told(), testing::Not(Contains(EventKind::replica_promoted)));
}

TEST_F(SoakChapterTest, DoesNotPassWhileARestartedUnitCannotBeAsked) {
    begin();
    const BootTime start = context_.now;
    while (context_.now - start < 2 * context_.inputs.policy.rollout.soak) look(silent("i-a"), b_);
    EXPECT_FALSE(ending_);
    EXPECT_EQ(context_.view.state, RotationState::waiting);
}

TEST_F(SoakChapterTest, IsNotHeldOnTheWayBackNorAfterACompromise) {
    context_.record.request.kind = RotationKind::compromise;
    read_part(soak_.soak_out());
    expect_end(Ending::Kind::done);
    context_.record.request.kind = RotationKind::routine;
    context_.record.reverting = "it died";
    read_part(soak_.soak_out());
    expect_end(Ending::Kind::done);
}

}  // namespace
}  // namespace keyturn
