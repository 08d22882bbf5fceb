#include "agent/bring_back.hpp"

#include "fakes/samples.hpp"
#include "fakes/schedules.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class BringBackTest : public testing::Test {
  protected:
    BringBackTest() {
        state_.delivered = "new";
        state_.starts = {{a, "i-a", "old", true}, {b, "i-b", "new", true}};
        policy_.schedule.windows = {window("Sun 02:00", 4h)};
        add(serving("i-a", "c-a", a));
        add(serving("i-b", "c-b", b));
        facts_.connectors = {listed("c-a"), listed("c-b")};
    }

    void add(const SampleUnits::Sample& sample) {
        InspectUnits::Unit unit;
        unit.name = sample.state.name;
        facts_.units.push_back(unit);
        facts_.samples.push_back(sample);
    }

    [[nodiscard]] bool may(const std::string& time) const {
        return may_bring_back(policy_, 2, {state_.starts[0]}, seen_, now_, utc(time));
    }

    TunnelPolicy policy_ = web_policy();
    TunnelState state_;
    PreflightFacts facts_;
    SeenUnits seen_;
    BootTime now_{1h};
};

TEST_F(BringBackTest, WaitsForAWindow) {
    EXPECT_FALSE(may("2026-03-28 12:00")) << "a Saturday";
    EXPECT_TRUE(may("2026-03-29 03:00"));
    policy_.drift.restart = DriftRestart::now;
    EXPECT_TRUE(may("2026-03-28 12:00"));
}

TEST_F(BringBackTest, DoesNotWaitForAUnitWithoutAConnection) {
    SampleUnits::Sample lost = idle("i-a", "c-a");
    lost.state.name = a;
    seen_.note({lost}, now_ - 1s);
    EXPECT_FALSE(may("2026-03-28 12:00")) << "a second without one is nothing";
    now_ += 1s;
    EXPECT_TRUE(may("2026-03-28 12:00"));
}

TEST_F(BringBackTest, RestartsOnlyWhatIsNotKnownToRunOnTheToken) {
    const RotationRecord record =
        plan_for_outdated(policy_, state_, facts_, state_.starts[0], utc("2026-03-29 03:00"));
    EXPECT_TRUE(record.takes_over());
    EXPECT_TRUE(record.foreign);
    EXPECT_EQ(record.phase, Phase::commit);
    EXPECT_EQ(record.old_fingerprint, "old");
    EXPECT_EQ(record.new_fingerprint, "new");
    EXPECT_EQ(record.find(a)->step, UnitStep::waiting);
    EXPECT_EQ(record.find(b)->step, UnitStep::verified);
    EXPECT_EQ(record.find(b)->connector_after, "c-b");
    EXPECT_THAT(record.connectors_before, ElementsAre("c-a"));
}

TEST_F(BringBackTest, RestartsWhatRunsOnTheTokenAndDoesNotServe) {
    facts_.samples[1].readiness->connections = 0;
    const RotationRecord record =
        plan_for_outdated(policy_, state_, facts_, state_.starts[0], utc("2026-03-29 03:00"));
    EXPECT_EQ(record.find(b)->step, UnitStep::waiting);
}

}  // namespace
}  // namespace keyturn
