#include "rotation/backoff.hpp"
#include "unit/rotation/world_test.hpp"

#include <algorithm>
#include <optional>

namespace keyturn {
namespace {

using ApiFaults = RotationTest;
using OperatorFaults = RotationTest;
using UnitFaults = RotationTest;
using ReadyFaults = RotationTest;

bool asks_the_api(const std::string& action) {
    return action == "patch" || action == "read token" || action == "list connectors" ||
           action == "inspect tunnel";
}

/// Lets every call of the API fail from the first PATCH on, and notes when each was made.
struct Outage {
    Outage(RotationWorld& world, Error error) {
        world.before_each([this, &world, error](const std::string& action) {
            if (action == "patch") begun = true;
            if (!begun || !asks_the_api(action)) return;
            calls.push_back(world.now);
            world.fail_next(action, error);
        });
    }
    bool begun = false;
    std::vector<BootTime> calls;
};

TEST_F(ApiFaults, AreRetriedAsSlowlyAsTheServerWantsAndAsTheLadderSays) {
    for (const std::chrono::seconds asked : {0s, 1s, 300s}) {
        RotationWorld world;
        const Outage outage(world, {Fault::busy, "HTTP 429", asked});
        world.start();
        while (outage.calls.size() < 12) ASSERT_TRUE(world.step());
        for (std::size_t i = 1; i < outage.calls.size(); ++i) {
            // The question after a PATCH has its own ladder of pauses, which starts over.
            const Milliseconds ladder = i < 2 ? 1s : pause_after(i - 2, Error{});
            const Milliseconds waited = outage.calls[i] - outage.calls[i - 1];
            EXPECT_EQ(waited, std::max<Milliseconds>(ladder, asked)) << i;
        }
        EXPECT_TRUE(world.told(EventKind::rotation_waiting));
    }
}

TEST_F(ApiFaults, OfADayAreSomeHundredCallsAndOneSecret) {
    const Outage outage(*this, {Fault::unreachable, "HTTP 503", {}});
    start();
    ASSERT_TRUE(run_for(24h));
    EXPECT_LE(outage.calls.size(), 24U * 60 + 10);
    EXPECT_GE(outage.calls.size(), 24U * 60 - 10) << "it never gives up";
    leave_alone();
    run();
    EXPECT_TRUE(done());
    EXPECT_EQ(secrets_made, 1);
    EXPECT_EQ(count(EventKind::rotation_waiting), 1U);
}

TEST_F(ApiFaults, ThatSayNoAfterThePatchHoldWithTheTokenDelivered) {
    for (const Fault fault : {Fault::denied, Fault::missing, Fault::invalid}) {
        RotationWorld world;
        world.before_each([&](const std::string& action) {
            if (action != "read token" || world.patches == 0) return;
            world.fail_next(action, {fault, "it needs Cloudflare Tunnel Write", {}});
        });
        world.rotate();
        ASSERT_EQ(world.held_for(), hold_reason_for(fault)) << name_of(fault);
        EXPECT_EQ(world.file_token, Token::ours) << "a unit that restarts now comes up";
        EXPECT_THAT(world.message(EventKind::rotation_held),
                    HasSubstr("it needs Cloudflare Tunnel Write"));
        EXPECT_LE(world.count("read token"), 3U) << "one in the preflight, and no retries";
        EXPECT_EQ(world.restarts(), 0);
        world.leave_alone();
        world.retry();
        EXPECT_TRUE(world.done());
        EXPECT_EQ(world.secrets_made, 1);
    }
}

TEST_F(ApiFaults, PatchThatIsAppliedAMinuteLateIsStillOneSecret) {
    before_each([&](const std::string& action) {
        const Milliseconds passed = count("patch") > 0 ? now - when("patch") : 0s;
        if (passed >= 60s) api_token = Token::ours;
        if (action == "patch" && passed < 60s) fail_next(action, answer_lost);
    });
    rotate();
    ASSERT_TRUE(done());
    EXPECT_GE(count("patch"), 2U);
    EXPECT_EQ(secrets_made, 1);
    EXPECT_EQ(outcome(), Outcome::done);
}

TEST_F(ApiFaults, PatchThatIsAppliedTwiceIsStillOneSecret) {
    token_shown = Token::old;
    faults.push_back({"patch", answer_lost, true});
    before("deliver", [&] { token_shown.reset(); });
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(patches, 2);
    EXPECT_EQ(secrets_made, 1);
}

/// When the turn of the next unit comes, an operator's stop of it takes a minute.
void stop_slowly(RotationWorld& world, bool then_starts) {
    world.before_each([&world, then_starts,
                       begun = std::optional<BootTime>()](const std::string& action) mutable {
        RotationWorld::Unit& unit = world.unit(b);
        if (action == "save roll" && world.restarts(a) == 1 && !begun) {
            begun = world.now;
            unit.state.active_state = "deactivating";
            unit.state.sub_state = "stop-sigterm";
            unit.state.job_pending = true;
        }
        const bool stopping = unit.state.active_state == "deactivating";
        if (!begun || world.now - *begun < 60s || !stopping) return;
        unit.state.job_pending = false;
        if (then_starts) {
            unit.come_up("restarted-by-somebody", world.file_token);
        } else {
            unit.stop();
        }
    });
}

TEST_F(OperatorFaults, StopThatIsUnderWayIsNotOverruled) {
    policy.rollout.soak = 2s;
    stop_slowly(*this, false);
    rotate();
    ASSERT_EQ(held_for(), HoldReason::operator_took_over);
    EXPECT_EQ(restarts(b), 0);
    leave_alone();
    retry();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(b), 0) << "it stays stopped";
}

TEST_F(OperatorFaults, RestartThatIsUnderWayIsWaitedFor) {
    policy.rollout.soak = 2s;
    stop_slowly(*this, true);
    rotate();
    EXPECT_TRUE(done());
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_EQ(restarts(b), 0) << "it has read the new token";
}

TEST_F(UnitFaults, OfAUnitThatWasReadyHoldAtThisUnitWhenItDies) {
    struct Case {
        Milliseconds lifetime;
        const char* text;
    };
    for (const auto& [lifetime, text] :
         {Case{1s, "did not come back"}, Case{9s, "did not come back"},
          Case{5min, "was verified and then failed"}}) {
        RotationWorld world;
        world.unit(a).fate = Fate::dies_later;
        world.unit(a).lifetime = lifetime;
        world.rotate();
        ASSERT_TRUE(world.held()) << lifetime.count();
        EXPECT_THAT(world.hold().text, HasSubstr(text));
        EXPECT_EQ(world.hold().unit, a);
        EXPECT_EQ(world.restarts(a), 1);
        EXPECT_EQ(world.restarts(b), 0);
    }
}

/// What /ready of the restarted unit says instead of the truth.
using Lie = std::function<void(std::optional<Readiness>&)>;

const std::vector<std::pair<std::string, Lie>> lies{
    {"0 of ",
     [](auto& ready) {
         ready->serving = false;
         ready->connections = 0;
     }},
    {"1 of ", [](auto& ready) { ready->connections = 1; }},
    {"/ready still answers for the old process",
     [](auto& ready) { ready->connector_id = "connector-1"; }},
    {"serves tunnel 00000000", [](auto& ready) { ready->tunnel = other_tunnel_id; }},
};

/// The connector gives the false answer while `lying`.
void lie_after_the_restart(RotationWorld& world, const Lie& lie, const bool& lying) {
    world.before_each([&world, &lie, &lying,
                       truth = std::optional<Readiness>()](const std::string& action) mutable {
        if (action != "sample" || world.restarts(a) != 1) return;
        if (!truth) truth = world.unit(a).readiness;
        truth->connections = full;
        world.unit(a).readiness = truth;
        if (lying) lie(world.unit(a).readiness);
    });
}

TEST_F(ReadyFaults, ThatLastAreHeldAtTheDeadline) {
    for (const auto& [seen, lie] : lies) {
        RotationWorld world;
        const bool lying = true;
        lie_after_the_restart(world, lie, lying);
        world.rotate();
        ASSERT_EQ(world.held_for(), HoldReason::verification_failed) << seen;
        EXPECT_THAT(world.hold().text, HasSubstr(seen));
        EXPECT_GE(world.now - world.unit(a).came_up, 2min);
        EXPECT_EQ(world.restarts(b), 0) << seen;
    }
}

TEST_F(ReadyFaults, ThatTellNothingAreWaitedForHoweverLongAndBlamedOnNobody) {
    before_each([&](const std::string& action) {
        const bool blind = action == "sample" && restarts(a) == 1 && now - unit(a).came_up < 3h;
        unit(a).silent = blind ? "no file descriptor is left" : "";
    });
    start();
    while (!rotation->ended() && now - unit(a).came_up < 3h) {
        ASSERT_TRUE(step());
        EXPECT_EQ(restarts(b), 0);
    }
    EXPECT_THAT(message(EventKind::rotation_waiting),
                HasSubstr("cannot ask /ready: no file descriptor is left"));
    run();
    EXPECT_TRUE(done());
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_FALSE(told(EventKind::hold_urgent));
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(ReadyFaults, ThatEndBeforeTheDeadlineAreWaitedFor) {
    auto all = lies;
    all.push_back({"", [](auto& ready) { ready.reset(); }});
    for (const auto& [seen, lie] : all) {
        RotationWorld world;
        bool lying = true;
        lie_after_the_restart(world, lie, lying);
        world.start();
        while (world.restarts(a) == 0 || world.now - world.unit(a).came_up < 90s) {
            ASSERT_TRUE(world.step()) << seen;
        }
        EXPECT_FALSE(world.told(EventKind::unit_verified)) << seen;
        lying = false;
        world.run();
        EXPECT_TRUE(world.done()) << seen;
        EXPECT_FALSE(world.told(EventKind::rotation_held)) << seen;
        EXPECT_EQ(world.restarts(a), 1);
    }
}

}  // namespace
}  // namespace keyturn
