#include "rotation/finish.hpp"

#include "rotation/adoption.hpp"
#include "rotation/capacity.hpp"
#include "rotation/conclusion.hpp"
#include "rotation/eviction.hpp"
#include "rotation/hurried_plan.hpp"
#include "rotation/lock_out_proof.hpp"
#include "rotation/preparation.hpp"
#include "rotation/proof.hpp"
#include "rotation/soak.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using Holder = ReadToken::Holder;
using testing::Contains;
using testing::HasSubstr;

class FinishTest : public ChapterAlone {
  protected:
    FinishTest() {
        UnitProgress& unit = add_unit("a.service", UnitStep::verified);
        unit.connector_after = "c-a";
        unit.invocation_after = "i-a";
        context_.record.connectors_before = {"c-before"};
    }

    /// Over the last look at the units, which are well.
    void come_to_the_list() {
        read(finish_.tell());
        agree<SaveRecord>();
        while (!std::holds_alternative<ListConnectors>(*context_.action)) {
            pass();
            answer<SampleUnits>(Samples{serving("i-a", "c-a")});
        }
    }

    void list(std::vector<Connector> connectors) { answer<ListConnectors>(std::move(connectors)); }

    const Connector ours_{"c-a", "192.0.2.1", "", "", 4};
    const Connector before_{"c-before", "192.0.2.1", "", "", 4};
    Capacity capacity_{context_};
    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
    UnitRestart restart_{context_, capacity_, handover_, proof_};
    Soak soak_{context_, token_, proof_, restart_};
    Preparation preparation_{context_};
    HurriedPlan plan_{context_, preparation_};
    Eviction eviction_{context_, plan_, handover_};
    LockOutProof lock_out_{context_, eviction_, proof_};
    Finish finish_{context_, handover_, token_, soak_, lock_out_};
    Conclusion conclusion_{context_};
};

TEST_F(FinishTest, IsProvenOnTheDiskBeforeTheSecretsGo) {
    come_to_the_list();
    list({ours_});
    answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
    answer<CheckFiles>(CheckFiles::Value{"new", false});
    EXPECT_TRUE(asked<SaveRecord>().record.proven);
    agree<SaveRecord>();
    expect_next(ChapterName::conclusion);
}

TEST_F(FinishTest, IsHeldWhereCloudflareDoesNotListOurs) {
    come_to_the_list();
    while (!ending_) {
        list({before_});
        if (!ending_) pass();
    }
    expect_held(HoldReason::not_listed, "a.service");
}

TEST_F(FinishTest, TellsOfConnectorsFromBeforeAndGoesOn) {
    come_to_the_list();
    while (std::holds_alternative<ListConnectors>(*context_.action)) {
        list({ours_, before_});
        if (std::holds_alternative<Wait>(*context_.action)) pass();
    }
    EXPECT_THAT(told(), Contains(EventKind::straggler_seen));
    EXPECT_TRUE(std::holds_alternative<ReadToken>(*context_.action));
}

TEST_F(FinishTest, StartsOverWhereTheTokenHasChanged) {
    context_.record.request.kind = RotationKind::takeover;
    context_.inputs.policy.drift.restart = DriftRestart::never;
    read(finish_.tell());
    answer<ReadToken>(ReadToken::Value{Holder::previous, "old", {}});
    answer<ReadToken>(ReadToken::Value{Holder::ours, "new", {}});
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
