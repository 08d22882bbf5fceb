#include "rotation/proof.hpp"

#include "rotation/adoption.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using testing::HasSubstr;

class ProofTest : public ChapterAlone {
  protected:
    ProofTest() {
        UnitProgress& unit = add_unit("a.service", UnitStep::restarting);
        unit.invocation_before = "before";
        unit.connector_before = "c-before";
    }

    void prove() { read_part(proof_.prove(0)); }

    /// At each look the unit is like this, until it asks something else or has ended.
    void look_while_it_asks(const SampleUnits::Sample& sample) {
        while (!ending_ && std::holds_alternative<SampleUnits>(*context_.action)) {
            answer<SampleUnits>(Samples{sample});
            if (!ending_ && std::holds_alternative<Wait>(*context_.action)) pass();
        }
    }

    [[nodiscard]] const UnitProgress& unit() const { return context_.record.units.front(); }

    const SampleUnits::Sample well_ = serving("after", "c-after");
    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
};

TEST_F(ProofTest, TakesSystemdTheUnitAndTheApiTogether) {
    prove();
    const BootTime begin = context_.now;
    look_while_it_asks(well_);
    EXPECT_GE(context_.now - begin, context_.inputs.policy.rollout.min_healthy_time);
    answer<ListConnectors>(std::vector<Connector>{{"c-after", "", "", "", 4}});
    EXPECT_EQ(asked<SaveRecord>().record.units.front().verified_by, "systemd, ready, api");
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(unit().step, UnitStep::verified);
    EXPECT_EQ(unit().connector_after, "c-after");
    EXPECT_THAT(told(), testing::ElementsAre(EventKind::unit_verified));
}

TEST_F(ProofTest, IsHeldWhereTheOldProcessStaysAndNamesTheUnitsLog) {
    prove();
    look_while_it_asks(serving("before", "c-before"));
    answer<ReadToken>(ReadToken::Value{ReadToken::Holder::ours, "new", {}});
    expect_held(HoldReason::verification_failed, "a.service");
    EXPECT_THAT(ending_->text, HasSubstr("journalctl -u a.service"));
}

TEST_F(ProofTest, StartsOverWhereItsTokenIsDead) {
    prove();
    look_while_it_asks(stopped());
    // Nobody's token is taken over then: ours is sent again.
    context_.record.request.kind = RotationKind::compromise;
    answer<ReadToken>(ReadToken::Value{ReadToken::Holder::other, "theirs", {}});
    answer<ReadToken>(ReadToken::Value{ReadToken::Holder::ours, "new", {}});
    agree<SaveRecord>();
    expect_end(Ending::Kind::start_over);
}

TEST_F(ProofTest, WaitsForAUnitThatCannotBeAskedHoweverLong) {
    prove();
    for (int look = 0; look < 10'000; ++look) {
        answer<SampleUnits>(Samples{silent("after")});
        pass();
    }
    EXPECT_FALSE(ending_);
    EXPECT_EQ(context_.view.state, RotationState::waiting);
    EXPECT_THAT(context_.view.reason, HasSubstr("cannot ask /ready"));
}

TEST_F(ProofTest, WaitsForASilentUnitNoLongerThanTheDeadlineAfterACompromise) {
    context_.record.request.kind = RotationKind::compromise;
    prove();
    look_while_it_asks(silent("after"));
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(unit().verified_by, "systemd");
    EXPECT_EQ(unit().connector_after, "");
}

TEST_F(ProofTest, DoesNotProveAUnitForeverThatKeepsBeingReplaced) {
    for (int replaced = 0; replaced < 3; ++replaced) {
        read_part(proof_.prove_replacement("a.service"));
        EXPECT_FALSE(ending_);
    }
    read_part(proof_.prove_replacement("a.service"));
    expect_held(HoldReason::verification_failed, "a.service");
}

}  // namespace
}  // namespace keyturn
