// "Could not look" is never "zero": from a unit that cannot be asked follows waiting, and nothing
// else.

#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <optional>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

/// From one minute into the soak on, `unit` cannot be asked for `how_long`.
void blind_in_the_soak(RotationWorld& world, const std::string& unit, Milliseconds how_long) {
    world.before_action = [&world, unit, how_long,
                           begun = std::optional<BootTime>()](const std::string& action) mutable {
        if (action == "save soak" && !begun) begun = world.now;
        const Milliseconds passed = begun ? Milliseconds{world.now - *begun} : 0ms;
        const bool blind = passed >= 1min && passed < 1min + how_long;
        world.unit(unit).silent = blind ? "no file descriptor is left" : "";
    };
}

TEST(Unknown, WaitingUnitOfASoakIsNeitherDecayingNorPromoted) {
    RotationWorld world({a, b});
    blind_in_the_soak(world, b, 5min);
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::replica_decaying));
    EXPECT_FALSE(world.told(EventKind::replica_promoted));
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    EXPECT_EQ(world.count("save soak"), 1U);
}

TEST(Unknown, RestartedUnitOfASoakHasNotFailedAndIsWaitedForByItsReason) {
    RotationWorld world({a, b});
    blind_in_the_soak(world, a, 5min);
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    const BootTime soak_began = world.now;
    ASSERT_TRUE(world.run_until("restart " + b));
    EXPECT_GE(world.now - soak_began, 15min + 50s) << "the soak began anew once it could be asked";
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    EXPECT_FALSE(world.told(EventKind::hold_urgent));
    ASSERT_TRUE(world.told(EventKind::rotation_waiting));
    EXPECT_THAT(world.last(EventKind::rotation_waiting)->message,
                HasSubstr(a + ": cannot ask /ready: no file descriptor is left"));
}

TEST(Unknown, IsNoPermissionToStopAUnitAndNoReasonToHold) {
    RotationWorld world({a, b});
    world.policy.rollout.soak = 20s;
    std::optional<BootTime> blind_since;
    world.before_action = [&](const std::string& action) {
        if (action == "save soak" && !blind_since) blind_since = world.now;
        const bool blind = blind_since && world.now - *blind_since < 30min;
        for (const std::string& unit : {a, b}) {
            world.unit(unit).silent = blind ? "the kernel's list of sockets is cut off" : "";
        }
        if (blind) {
            EXPECT_NE(action, "restart " + b);
        }
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Unknown, ReplicasAreWaitedForBeyondTheDeadlineForProgress) {
    RotationWorld world({a, b});
    world.policy.rollout.soak = 1s;
    world.policy.rollout.progress_deadline = 10min;
    std::optional<BootTime> batch_began;
    world.before_action = [&](const std::string& action) {
        if (action == "save roll" && world.count("save soak") > 0 && !batch_began) {
            batch_began = world.now;
        }
        const bool blind = batch_began && world.now - *batch_began < 1h;
        world.unit(a).silent = blind ? "it does not answer within 1.5 s" : "";
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    ASSERT_TRUE(world.told(EventKind::rotation_waiting));
    EXPECT_THAT(world.last(EventKind::rotation_waiting)->message,
                AllOf(HasSubstr("cannot tell whether enough others serve"),
                      HasSubstr("cannot ask /ready: it does not answer within 1.5 s")));
}

TEST(Unknown, IsNoShortageOfReplicasWhileARotationIsHeld) {
    RotationWorld world({a, b, c});
    world.unit(a).fate = RotationWorld::Fate::fails;
    world.policy.rollout.min_available = 2;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    world.unit(b).silent = "no file descriptor is left";
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(world.step());
    EXPECT_FALSE(world.told(EventKind::hold_urgent)) << "one serves, and two might";
    world.unit(b).silent.clear();
    world.unit(b).readiness->connections = 0;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(world.step());
    EXPECT_TRUE(world.told(EventKind::hold_urgent));
}

TEST(Unknown, SurgeIsNotStartedOverTheOneThatMayServe) {
    RotationWorld world({a});
    const std::string surge = "keyturn-surge@web.service";
    world.add_surge(surge);
    std::optional<BootTime> blind_since;
    world.before_action = [&](const std::string& action) {
        const bool helps = world.told(EventKind::unit_verified) && world.unit(a).restarts == 0;
        if (helps && !blind_since) blind_since = world.now;
        const bool blind = blind_since && world.now - *blind_since < 30min;
        world.unit(surge).silent = blind ? "it does not answer within 1.5 s" : "";
        if (blind) {
            EXPECT_NE(action, "restart " + a);
        }
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(surge).restarts, 1);
}

/// The host was suspended while a connection or two were lost, and they are back soon after.
TEST(Unknown, TimeInWhichNobodyLookedPromotesNobody) {
    RotationWorld world({a, b, c});
    std::optional<BootTime> begun;
    world.before_action = [&](const std::string& action) {
        if (action == "save soak" && !begun) begun = world.now;
        if (!begun || action != "wait") return;
        const bool slept = world.now - *begun > 8h;
        const bool lost = world.now - *begun >= 1min && world.now - *begun < 8h + 70s;
        if (lost && !slept && world.unit(c).readiness->connections == 2) world.now += 8h;
        world.unit(c).readiness->connections = lost ? 2 : 4;
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::replica_decaying));
    EXPECT_FALSE(world.told(EventKind::replica_promoted));
}

}  // namespace
}  // namespace keyturn
