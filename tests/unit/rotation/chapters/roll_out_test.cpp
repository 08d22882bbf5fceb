#include "rotation/roll_out.hpp"

#include "rotation/adoption.hpp"
#include "rotation/capacity.hpp"
#include "rotation/preparation.hpp"
#include "rotation/proof.hpp"
#include "rotation/soak.hpp"
#include "rotation/surge.hpp"
#include "rotation/take_over.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using Holder = ReadToken::Holder;

class RollOutTest : public ChapterAlone {
  protected:
    RollOutTest() { context_.record.phase = Phase::roll; }

    void show_token(Holder holder, const std::string& fingerprint = "new") {
        answer<ReadToken>(ReadToken::Value{holder, fingerprint, {}});
    }

    Capacity capacity_{context_};
    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    TokenWatch token_{context_, handover_};
    Proof proof_{context_, token_};
    UnitRestart restart_{context_, capacity_, handover_, proof_};
    Surge surge_{context_, capacity_, restart_};
    Soak soak_{context_, token_, proof_, restart_};
    RollOut roll_out_{context_, token_, restart_, soak_, surge_};
    Preparation preparation_{context_};
    TakeOver take_over_{context_, preparation_, adoption_, handover_, token_};
};

TEST_F(RollOutTest, LetsTheEdgeSettleAfterADelivery) {
    add_unit("a.service", UnitStep::waiting);
    context_.record.phase = Phase::commit;
    read(roll_out_.tell());
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::roll);
    agree<SaveRecord>();
    EXPECT_EQ(asked<Wait>().until - context_.now, context_.inputs.policy.rollout.settle);
}

TEST_F(RollOutTest, EndsAtOnceWhereNothingRuns) {
    add_unit("a.service", UnitStep::listed).batch = 0;
    read(roll_out_.tell());
    answer<SampleUnits>(Samples{stopped()});
    answer<SampleUnits>(Samples{stopped()});
    expect_next(ChapterName::finish);
}

TEST_F(RollOutTest, RestartsAUnitThatWasStartedSinceInABatchOfItsOwn) {
    add_unit("a.service", UnitStep::listed).batch = 0;
    read(roll_out_.tell());
    answer<SampleUnits>(Samples{stopped()});
    answer<SampleUnits>(Samples{serving("i", "c")});
    show_token(Holder::ours);
    EXPECT_EQ(asked<SaveRecord>().record.units.front().step, UnitStep::waiting);
    EXPECT_EQ(asked<SaveRecord>().record.batch, 1);
}

TEST_F(RollOutTest, GoesOnWithTheOpenBatchAndPassesOverWhoHasVerified) {
    add_unit("a.service", UnitStep::verified);
    add_unit("b.service", UnitStep::waiting).batch = 2;
    context_.record.batch = 2;
    read(roll_out_.tell());
    answer<SampleUnits>(Samples{serving("i-a", "c-a"), serving("i-b", "c-b")});
    show_token(Holder::ours);
    EXPECT_EQ(asked<SaveRecord>().record.batch, 2);
    EXPECT_EQ(asked<SaveRecord>().record.units.back().invocation_before, "i-b")
        << "whatever runs later has read the new token";
}

TEST_F(RollOutTest, StartsOverWhereTheTokenHasChanged) {
    add_unit("a.service", UnitStep::waiting);
    read(roll_out_.tell());
    answer<SampleUnits>(Samples{serving("i", "c")});
    show_token(Holder::other, "theirs");
    show_token(Holder::other, "theirs");
    agree<SaveRecord>();
    answer<AdoptToken>(AdoptToken::Value{"id", "theirs"});
    answer<DeliverToken>(DeliverToken::Value{});
    pass();
    show_token(Holder::ours, "theirs");
    agree<SaveRecord>();
    expect_end(Ending::Kind::start_over);
}

TEST_F(RollOutTest, ATakeOverDeliversWhateverStateTheUnitsAreIn) {
    context_.record = RotationRecord();
    context_.record.phase = Phase::preflight;
    context_.record.request.kind = RotationKind::takeover;
    read(take_over_.tell());
    agree<SaveRecord>();
    answer<CheckFiles>(CheckFiles::Value{"old", false});
    InspectUnits::Unit broken{"a.service", "it is masked"};
    answer<InspectUnits>(InspectUnits::Value{broken});
    answer<SampleUnits>(Samples{stopped()});
    answer<ListConnectors>(std::vector<Connector>());
    show_token(Holder::other, "theirs");
    agree<SaveRecord>();
    answer<AdoptToken>(AdoptToken::Value{"id", "theirs"});
    answer<DeliverToken>(DeliverToken::Value{});
    show_token(Holder::ours, "theirs");
    expect_next(ChapterName::window);
}

TEST_F(RollOutTest, ATakeOverIsRefusedWhereTheDeliveredTokenIsBack) {
    context_.record.phase = Phase::preflight;
    context_.record.request.kind = RotationKind::takeover;
    read(take_over_.tell());
    agree<SaveRecord>();
    answer<CheckFiles>(CheckFiles::Value{"old", false});
    answer<InspectUnits>(InspectUnits::Value{{"a.service", {}}});
    answer<SampleUnits>(Samples{serving("i", "c")});
    answer<ListConnectors>(std::vector<Connector>());
    show_token(Holder::other, "old");
    expect_end(Ending::Kind::refused);
}

}  // namespace
}  // namespace keyturn
