// What the status says about the units, the checks at Cloudflare and the end of a rotation.

#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

class StatusTest : public TunnelAgentTest {
  protected:
    StatusTest() { policy_.drift.units_interval = DriftPolicy().units_interval; }

    [[nodiscard]] UnitHealth health(const std::string& unit) const {
        for (const UnitHealth& one : status().health) {
            if (one.name == unit) return one;
        }
        return {};
    }
};

TEST_F(StatusTest, ShowsTheUnitsOfAnIdleTunnelAndTheirTokens) {
    start_serving();
    pass(16min);
    const std::string token = status().fingerprint;
    EXPECT_THAT(token, SizeIs(16));
    EXPECT_THAT(status().units,
                ElementsAre(UnitStatus{a, "", 0, 4, ""}, UnitStatus{b, "", 0, 4, ""}));
    EXPECT_EQ(health(a), (UnitHealth{a, "serving", "current", token, -1}));
    rotate();
    EXPECT_EQ(health(a), (UnitHealth{a, "serving", "current", status().fingerprint, -1}));
    EXPECT_NE(status().fingerprint, token);
    EXPECT_EQ(status().last_ended, status().last_done);
}

TEST_F(StatusTest, ShowsUnitsThatDoNotServe) {
    start_serving();
    pass(16min);
    first().connected = false;
    second().state.active_state = "inactive";
    second().state.sub_state = "dead";
    pass(1min);
    EXPECT_EQ(health(a).health, "disconnected");
    EXPECT_EQ(health(b), (UnitHealth{b, "stopped", "", "", -1}));
    second().state.active_state = "failed";
    first().connected = true;
    first().unready = Error{Fault::unreachable, "no answer", {}};
    pass(1min);
    EXPECT_EQ(health(a).health, "unknown");
    EXPECT_EQ(health(b).health, "failed");
    second().state.active_state = "activating";
    pass(1min);
    EXPECT_EQ(health(b).health, "starting");
}

TEST_F(StatusTest, ShowsAUnitOnAnOlderToken) {
    policy_.drift.restart = DriftRestart::never;
    start_serving();
    pass(16min);
    const std::string old_token = status().fingerprint;
    stop();
    Result<std::optional<TunnelState>> state = states_->load("web");
    ASSERT_TRUE(state && *state);
    (*state)->starts.at(1).fingerprint = "0123456789abcdef";
    (*state)->starts.at(0).certain = false;
    ASSERT_TRUE(states_->save("web", **state));
    start();
    pass(1min);
    EXPECT_EQ(health(a), (UnitHealth{a, "serving", "unknown", "", -1}));
    EXPECT_EQ(health(b), (UnitHealth{b, "serving", "older", "0123456789abcdef", -1}));
}

TEST_F(StatusTest, ShowsSinceWhenCloudflareCannotBeChecked) {
    start_serving();
    pass(16min);
    const std::optional<WallTime> good = status().last_check;
    ASSERT_TRUE(good);
    EXPECT_FALSE(status().check_fails_since);
    host_->api_down = no_write;
    pass(16min);
    const std::optional<WallTime> failed = status().check_fails_since;
    ASSERT_TRUE(failed);
    EXPECT_GT(*failed, *status().last_check);
    pass(1h);
    EXPECT_EQ(status().check_fails_since, failed) << "the first one counts";
    host_->api_down.reset();
    pass(16min);
    EXPECT_FALSE(status().check_fails_since);
    EXPECT_GT(*status().last_check, *failed);
    const std::optional<WallTime> before = status().last_check;
    rotate();
    EXPECT_GT(*status().last_check, *before) << "a rotation is a check, too";
}

TEST_F(StatusTest, EstimatesTheEndFromTheWaitsThatAreLeft) {
    policy_.rollout.soak = policy_.rollout.soak_min = 10min;
    come_to_the_soak();
    ASSERT_TRUE(status().expected_end);
    const Milliseconds estimated = *status().expected_end - clock_.wall_now();
    EXPECT_GE(*status().expected_end, *status().step_ends);
    EXPECT_EQ(health(a).baseline, 4);
    EXPECT_EQ(health(a).token_age, "") << "its step shows that";
    const WallTime began = clock_.wall_now();
    ASSERT_TRUE(run_until_state("idle"));
    const Milliseconds took = clock_.wall_now() - began;
    EXPECT_LE(std::chrono::abs(estimated - took), 30s);
    EXPECT_FALSE(status().expected_end);
}

TEST_F(StatusTest, EstimatesNothingForAHoldOrARevert) {
    come_to_the_soak();
    decide(Decision::revert);
    ASSERT_TRUE(run_until([&] { return status().phase == "roll"; }));
    EXPECT_FALSE(status().expected_end);
    ASSERT_TRUE(run_until_state("idle"));
    first().ignores_starts = true;
    request();
    ASSERT_TRUE(run_until_state("held"));
    EXPECT_FALSE(status().expected_end);
}

}  // namespace
}  // namespace keyturn
