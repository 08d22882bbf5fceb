#include "unit/agent/many_agents.hpp"

namespace keyturn {
namespace {

using ManyTunnelsTest = ManyAgents;

/// When each tunnel was checked, from `since` on. The list comes last in a check.
std::map<std::string, std::vector<BootTime>> looks_in(const ApiCalls& calls, BootTime since) {
    std::map<std::string, std::vector<BootTime>> looks;
    for (const ApiCalls::Made& call : calls.made) {
        if (call.when >= since && call.name == "GET connections") {
            looks[call.tunnel].push_back(call.when);
        }
    }
    return looks;
}

TEST_F(ManyTunnelsTest, AreEachLookedAtThoughNotTooOften) {
    start(1'000);
    const BootTime begin = clock_.boot_now();
    pass(3h);
    EXPECT_THAT(calls_.most_in_five_minutes(), Le(budget_calls_max - kept_from_looks));
    EXPECT_THAT(calls_.most_in_five_minutes(begin + 1h), Gt(390U))
        << "and nearly as many as allowed";
    const auto looks = looks_in(calls_, begin);
    ASSERT_THAT(looks, SizeIs(1'000));
    Milliseconds longest{};
    for (const auto& [tunnel, moments] : looks) {
        EXPECT_LE(moments.front() - begin, 26min) << tunnel;
        for (std::size_t i = 1; i < moments.size(); ++i) {
            longest = std::max(longest, moments[i] - moments[i - 1]);
        }
    }
    EXPECT_LE(longest, 30min) << "15 minutes are wanted, and 25 are possible";
    EXPECT_EQ(count(EventKind::drift_unknown), 0U);
}

TEST_F(ManyTunnelsTest, OfAModestNumberAreLookedAtAsOftenAsThePolicySays) {
    start(50);
    const BootTime begin = clock_.boot_now();
    pass(2h - 1s);
    for (const auto& [tunnel, moments] : looks_in(calls_, begin)) {
        EXPECT_THAT(moments, SizeIs(8)) << tunnel;
        EXPECT_LE(moments.front() - begin, 75s);
    }
}

TEST_F(ManyTunnelsTest, GetTheirFirstTokenFilesWithinTheBudget) {
    start(1'000, {}, false);
    pass(12min);
    EXPECT_THAT(calls_.most_in_five_minutes(), Le(budget_calls_max));
    for (const Tunnel& tunnel : tunnels_) {
        EXPECT_TRUE(*tokens_->current(tunnel.policy.name)) << tunnel.policy.name;
    }
}

TEST_F(ManyTunnelsTest, RotateAsIfAloneThoughAThousandAreLookedAt) {
    start(1'000);
    pass(1h);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(tunnel(i).agent->request_rotation({}));
    pass(13min);
    EXPECT_EQ(count_done(), 10) << "a soak is 10 minutes";
    EXPECT_EQ(count(EventKind::rotation_waiting), 0U);
    EXPECT_THAT(calls_.most_in_five_minutes(), Le(budget_calls_max));
}

TEST_F(ManyTunnelsTest, RotateBeforeAnythingIsLookedAt) {
    TunnelPolicy quick;
    quick.rollout.soak = 30s;
    start(100, quick);
    pass(1h);
    const BootTime begin = clock_.boot_now();
    for (Tunnel& tunnel : tunnels_) ASSERT_TRUE(tunnel.agent->request_rotation({}));
    pass(90min);
    EXPECT_EQ(count_done(), 100);
    EXPECT_THAT(calls_.most_in_five_minutes(), Le(budget_calls_max));
    EXPECT_GT(calls_.most_in_five_minutes(begin), budget_calls_max - kept_from_looks);
    EXPECT_EQ(count(EventKind::rotation_held), 0U);
}

TEST_F(ManyTunnelsTest, ThatAreDueTogetherStartOneAfterTheOther) {
    TunnelPolicy due;
    due.schedule.every = 4h;
    due.rollout.soak = 30s;
    start(60, due);
    pass(4h - 1min);
    ASSERT_EQ(count(EventKind::rotation_started), 0U);
    pass(2h);
    EXPECT_EQ(count_done(), 60);
    EXPECT_EQ(count(EventKind::rotation_refused), 0U);
    EXPECT_EQ(count(EventKind::rotation_waiting), 0U);
    EXPECT_THAT(calls_.most_in_five_minutes(), Le(budget_calls_max));
    const auto looks = looks_in(calls_, clock_.boot_now() - 1h);
    EXPECT_THAT(looks, SizeIs(60)) << "looks go on meanwhile";
}

TEST_F(ManyTunnelsTest, AreAllQuietWhenCloudflareAsksOneOfThemToBe) {
    start(50);
    pass(1h);
    tunnel(7).host->api_down = Error{Fault::busy, "HTTP 429", 240s};
    ASSERT_TRUE(tunnel(7).agent->request_rotation({}));
    pass(0ms);
    ASSERT_EQ(calls_.made.back().when, clock_.boot_now());
    tunnel(7).host->api_down.reset();
    const std::size_t made = calls_.made.size();
    ASSERT_TRUE(tunnel(8).agent->request_rotation({}));
    pass(239s);
    EXPECT_EQ(calls_.made.size(), made);
    pass(15min);
    EXPECT_EQ(count_done(), 2);
    pass(1h);
    EXPECT_THAT(looks_in(calls_, clock_.boot_now() - 30min), SizeIs(50));
}

TEST_F(ManyTunnelsTest, GoOnWhenOneOfThemIsHeldAndNeverOverlapTheirOwnBatches) {
    start(20);
    pass(5min);
    tunnel(3).host->units.begin()->second.ignores_starts = true;
    for (Tunnel& tunnel : tunnels_) ASSERT_TRUE(tunnel.agent->request_rotation({}));
    pass(20min);
    EXPECT_EQ(count_done(), 19);
    EXPECT_EQ(tunnel(3).agent->status().state, "held");
    std::map<std::string, std::string> restarting;
    int interleaved = 0;
    for (const Event& event : log_.events) {
        std::string& unit = restarting[event.tunnel_name];
        if (event.kind == EventKind::unit_restarting || event.kind == EventKind::batch_started) {
            EXPECT_EQ(unit, "") << event.tunnel_name << " has one unit down at a time";
        }
        if (event.kind == EventKind::unit_restarting) unit = event.target_unit;
        if (event.kind == EventKind::unit_verified) unit.clear();
        const auto down = std::ranges::count_if(
            restarting, [](const auto& entry) { return !entry.second.empty(); });
        if (down > 1) ++interleaved;
    }
    EXPECT_GT(interleaved, 0) << "different tunnels do not wait for each other";
}

}  // namespace
}  // namespace keyturn
