#include "fakes/rotation_world.hpp"
#include "rotation/backoff.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";

bool asks_the_api(const std::string& action) {
    return action == "patch" || action == "read token" || action == "list connectors" ||
           action == "inspect tunnel";
}

/// Lets every call of the API fail from the first PATCH on, and notes when each was made.
struct Outage {
    Outage(RotationWorld& world, Error error) {
        world.before_action = [this, &world, error](const std::string& action) {
            if (action == "patch") begun = true;
            if (!begun || !asks_the_api(action)) return;
            calls.push_back(world.now);
            world.faults.push_back({action, error});
        };
    }
    bool begun = false;
    std::vector<BootTime> calls;
};

TEST(ApiFaults, AreRetriedAsSlowlyAsTheServerWantsAndAsTheLadderSays) {
    for (const std::chrono::seconds asked : {0s, 1s, 300s}) {
        RotationWorld world({a, b});
        const Outage outage(world, {Fault::busy, "HTTP 429", asked});
        world.start();
        while (outage.calls.size() < 12) ASSERT_TRUE(world.step());
        for (std::size_t i = 1; i < outage.calls.size(); ++i) {
            // The question after a PATCH has a ladder of its own, which begins anew.
            const Milliseconds ladder = i < 2 ? 1s : pause_after(i - 2, Error{});
            const Milliseconds waited = outage.calls[i] - outage.calls[i - 1];
            EXPECT_EQ(waited, std::max<Milliseconds>(ladder, asked)) << i;
        }
        EXPECT_TRUE(world.told(EventKind::rotation_waiting));
    }
}

TEST(ApiFaults, OfADayAreSomeHundredCallsAndOneSecret) {
    RotationWorld world({a, b});
    const Outage outage(world, {Fault::unreachable, "HTTP 503", {}});
    world.start();
    const BootTime day_after = world.now + 24h;
    while (world.now < day_after) ASSERT_TRUE(world.step());
    EXPECT_LE(outage.calls.size(), 24U * 60 + 10);
    EXPECT_GE(outage.calls.size(), 24U * 60 - 10) << "it never gives up";
    world.before_action = nullptr;
    world.faults.clear();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.secrets_made, 1);
    EXPECT_EQ(std::ranges::count(world.events, EventKind::rotation_waiting, &Event::kind), 1);
}

TEST(ApiFaults, ThatSayNoAfterThePatchHoldWithTheTokenDelivered) {
    for (const Fault fault : {Fault::denied, Fault::missing, Fault::invalid}) {
        RotationWorld world({a, b});
        world.before_action = [&](const std::string& action) {
            if (action != "read token" || world.patches == 0) return;
            world.faults.push_back({action, {fault, "it needs Cloudflare Tunnel Write", {}}});
        };
        world.start();
        world.run();
        ASSERT_TRUE(world.held()) << name_of(fault);
        EXPECT_EQ(world.file_token, Token::ours) << "who restarts now comes up";
        EXPECT_EQ(world.disk_record->hold->reason, hold_reason_for(fault));
        EXPECT_THAT(world.last(EventKind::rotation_held)->message,
                    HasSubstr("it needs Cloudflare Tunnel Write"));
        EXPECT_LE(world.count("read token"), 3U) << "the first was preflight's; no retries";
        EXPECT_EQ(world.unit(a).restarts + world.unit(b).restarts, 0);
        world.before_action = nullptr;
        world.start(true);
        world.run();
        EXPECT_TRUE(world.done());
        EXPECT_EQ(world.secrets_made, 1);
    }
}

TEST(ApiFaults, PatchThatIsAppliedAMinuteLateIsStillOneSecret) {
    RotationWorld world({a, b});
    std::optional<BootTime> sent;
    world.before_action = [&](const std::string& action) {
        if (sent && world.now - *sent >= 60s) world.api_token = Token::ours;
        if (action != "patch") return;
        if (!sent) sent = world.now;
        if (world.now - *sent < 60s) {
            world.faults.push_back({action, {Fault::ambiguous, "HTTP 500", {}}});
        }
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_GE(world.count("patch"), 2U);
    EXPECT_EQ(world.secrets_made, 1);
    EXPECT_EQ(world.history.front().outcome, Outcome::done);
}

TEST(ApiFaults, PatchThatIsAppliedTwiceIsStillOneSecret) {
    RotationWorld world({a, b});
    world.token_shown = RotationWorld::Token::old;
    world.faults.push_back({"patch", {Fault::ambiguous, "HTTP 500", {}}, true});
    world.before_action = [&](const std::string& action) {
        if (action == "deliver") world.token_shown.reset();
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.patches, 2);
    EXPECT_EQ(world.secrets_made, 1);
}

/// An operator's stop of the next unit is under way for a minute when its turn comes.
void stop_slowly(RotationWorld& world, const std::string& after) {
    world.before_action = [&world, after,
                           begun = std::optional<BootTime>()](const std::string& action) mutable {
        UnitState& state = world.unit(b).state;
        if (action == "save roll" && world.unit(a).restarts == 1 && !begun) {
            begun = world.now;
            state.active_state = "deactivating";
            state.sub_state = "stop-sigterm";
            state.job_pending = true;
        }
        if (!begun || world.now - *begun < 60s || state.active_state != "deactivating") return;
        state.active_state = after;
        state.sub_state = after == "active" ? "running" : "dead";
        state.job_pending = false;
        if (after == "active") {
            state.invocation = "restarted-by-somebody";
            world.unit(b).token = world.file_token;
            world.unit(b).readiness->connector_id = "restarted-by-somebody";
        }
        if (after != "active") state.main_pid = 0;
    };
}

TEST(OperatorFaults, StopThatIsUnderWayIsNotOverruled) {
    RotationWorld world({a, b});
    world.policy.rollout.soak = 2s;
    stop_slowly(world, "inactive");
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::operator_took_over);
    EXPECT_EQ(world.unit(b).restarts, 0);
    world.before_action = nullptr;
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(b).restarts, 0) << "it stays stopped";
}

TEST(OperatorFaults, RestartThatIsUnderWayIsWaitedFor) {
    RotationWorld world({a, b});
    world.policy.rollout.soak = 2s;
    stop_slowly(world, "active");
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    EXPECT_EQ(world.unit(b).restarts, 0) << "it has read the new token";
}

TEST(UnitFaults, OfAUnitThatWasReadyHoldAtThisUnitWhenItDies) {
    struct Case {
        Milliseconds lifetime;
        const char* text;
    };
    for (const auto& [lifetime, text] :
         {Case{1s, "did not come back"}, Case{9s, "did not come back"},
          Case{5min, "was verified and then failed"}}) {
        RotationWorld world({a, b});
        world.unit(a).fate = RotationWorld::Fate::dies_later;
        world.unit(a).lifetime = lifetime;
        world.start();
        world.run();
        ASSERT_TRUE(world.held()) << lifetime.count();
        EXPECT_THAT(world.disk_record->hold->text, HasSubstr(text));
        EXPECT_EQ(world.disk_record->hold->unit, a);
        EXPECT_EQ(world.unit(a).restarts, 1);
        EXPECT_EQ(world.unit(b).restarts, 0);
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
    {"serves tunnel 00000000",
     [](auto& ready) { ready->tunnel = "00000000-0000-4000-8000-000000000000"; }},
};

/// The connector answers so while `lying`.
void lie_after_the_restart(RotationWorld& world, const Lie& lie, const bool& lying) {
    world.before_action = [&world, &lie, &lying,
                           truth = std::optional<Readiness>()](const std::string& action) mutable {
        if (action != "sample" || world.unit(a).restarts != 1) return;
        if (!truth) truth = world.unit(a).readiness;
        truth->connections = 4;
        world.unit(a).readiness = truth;
        if (lying) lie(world.unit(a).readiness);
    };
}

TEST(ReadyFaults, ThatLastAreHeldAtTheDeadline) {
    for (const auto& [seen, lie] : lies) {
        RotationWorld world({a, b});
        const bool lying = true;
        lie_after_the_restart(world, lie, lying);
        world.start();
        world.run();
        ASSERT_TRUE(world.held()) << seen;
        EXPECT_EQ(world.disk_record->hold->reason, HoldReason::verification_failed);
        EXPECT_THAT(world.disk_record->hold->text, HasSubstr(seen));
        EXPECT_GE(world.now - world.unit(a).came_up, 2min);
        EXPECT_EQ(world.unit(b).restarts, 0) << seen;
    }
}

TEST(ReadyFaults, ThatTellNothingAreWaitedForHoweverLongAndBlamedOnNobody) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        const bool blind = action == "sample" && world.unit(a).restarts == 1 &&
                           world.now - world.unit(a).came_up < 3h;
        world.unit(a).silent = blind ? "no file descriptor is left" : "";
    };
    world.start();
    while (!world.rotation->ended() && world.now - world.unit(a).came_up < 3h) {
        ASSERT_TRUE(world.step());
        EXPECT_EQ(world.unit(b).restarts, 0);
    }
    ASSERT_TRUE(world.told(EventKind::rotation_waiting));
    EXPECT_THAT(world.last(EventKind::rotation_waiting)->message,
                HasSubstr("cannot ask /ready: no file descriptor is left"));
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    EXPECT_FALSE(world.told(EventKind::hold_urgent));
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(ReadyFaults, ThatEndBeforeTheDeadlineAreWaitedFor) {
    auto all = lies;
    all.push_back({"", [](auto& ready) { ready.reset(); }});
    for (const auto& [seen, lie] : all) {
        RotationWorld world({a, b});
        bool lying = true;
        lie_after_the_restart(world, lie, lying);
        world.start();
        while (world.unit(a).restarts == 0 || world.now - world.unit(a).came_up < 90s) {
            ASSERT_TRUE(world.step()) << seen;
        }
        EXPECT_FALSE(world.told(EventKind::unit_verified)) << seen;
        lying = false;
        world.run();
        EXPECT_TRUE(world.done()) << seen;
        EXPECT_FALSE(world.told(EventKind::rotation_held)) << seen;
        EXPECT_EQ(world.unit(a).restarts, 1);
    }
}

}  // namespace
}  // namespace keyturn
