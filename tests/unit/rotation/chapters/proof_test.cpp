#include "rotation/proof.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class ProofTest : public ChapterAlone {
  protected:
    ProofTest() {
        UnitProgress& unit = add_unit(a, UnitStep::restarting);
        unit.invocation_before = "before";
        unit.connector_before = "c-before";
    }

    void prove() { read_part(proof_.prove(0)); }

    /// A job of systemd stops that process of the unit.
    static Sample stopping(const std::string& invocation) {
        Sample sample = silent(invocation);
        sample.state.active_state = "deactivating";
        sample.state.job_pending = true;
        return sample;
    }

    void expect_held_after(const Sample& first, const Sample& then, HoldReason reason) {
        prove();
        answer<SampleUnits>({first});
        pass();
        keep_answering<SampleUnits>(Samples{then});
        show_token(Holder::ours);
        expect_held(reason, a);
    }

    [[nodiscard]] const UnitProgress& unit() const { return context_.record.units.front(); }
};

TEST_F(ProofTest, NeedsSystemdTheUnitAndTheApiTogether) {
    prove();
    const BootTime begin = context_.now;
    keep_answering<SampleUnits>(Samples{serving("after", "c-after")});
    EXPECT_GE(context_.now - begin, context_.inputs.policy.rollout.min_healthy_time);
    answer<ListConnectors>({listed("c-after")});
    EXPECT_EQ(asked<SaveRecord>().record.units.front().verified_by, "systemd, ready, api");
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(unit().step, UnitStep::verified);
    EXPECT_EQ(unit().connector_after, "c-after");
    EXPECT_THAT(told(), ElementsAre(EventKind::unit_verified));
}

TEST_F(ProofTest, IsHeldIfTheOldProcessStaysAndNamesTheUnitsLog) {
    prove();
    keep_answering<SampleUnits>(Samples{serving("before", "c-before")});
    show_token(Holder::ours);
    expect_held(HoldReason::verification_failed, a);
    EXPECT_THAT(ending_->text, HasSubstr("journalctl -u " + a));
}

TEST_F(ProofTest, IsHeldForThePersonWhoStopsTheUnit) {
    expect_held_after(stopping("after"), stopped(), HoldReason::operator_took_over);
    EXPECT_THAT(ending_->text, HasSubstr("somebody stopped " + a));
}

TEST_F(ProofTest, TakesItsOwnStopForNobodys) {
    expect_held_after(stopping("before"), stopped(), HoldReason::verification_failed);
}

TEST_F(ProofTest, TakesAProcessThatEndsUnaskedForAFailure) {
    Sample ending = stopping("after");
    ending.state.job_pending = false;
    expect_held_after(ending, stopped(), HoldReason::verification_failed);
}

TEST_F(ProofTest, TakesAStopThatEndsInAnErrorForAFailure) {
    Sample killed = stopped();
    killed.state.result = "timeout";
    expect_held_after(stopping("after"), killed, HoldReason::verification_failed);
}

TEST_F(ProofTest, StartsOverIfItsTokenIsDead) {
    prove();
    keep_answering<SampleUnits>(Samples{stopped()});
    context_.record.request.kind =
        RotationKind::compromise;  // Then keyturnd sends our secret again.
    show_token(Holder::other);
    show_token(Holder::ours);
    agree<SaveRecord>();
    expect_end(Ending::Kind::start_over);
}

TEST_F(ProofTest, WaitsForAUnitThatCannotBeAskedHoweverLong) {
    prove();
    for (int look = 0; look < 10'000; ++look) {
        answer<SampleUnits>({silent("after")});
        pass();
    }
    EXPECT_FALSE(ending_);
    EXPECT_EQ(context_.view.state, RotationState::waiting);
    EXPECT_THAT(context_.view.reason, HasSubstr("cannot ask /ready"));
}

TEST_F(ProofTest, WaitsForASilentUnitNoLongerThanTheDeadlineAfterACompromise) {
    context_.record.request.kind = RotationKind::compromise;
    prove();
    keep_answering<SampleUnits>(Samples{silent("after")});
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(unit().verified_by, "systemd");
    EXPECT_EQ(unit().connector_after, "");
}

TEST_F(ProofTest, DoesNotProveAUnitForeverThatKeepsBeingReplaced) {
    for (int replaced = 0; replaced < 3; ++replaced) {
        read_part(proof_.prove_replacement(a));
        EXPECT_FALSE(ending_);
    }
    read_part(proof_.prove_replacement(a));
    expect_held(HoldReason::verification_failed, a);
}

}  // namespace
}  // namespace keyturn
