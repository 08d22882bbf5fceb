#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

/// Three units and a short soak: every phase, and few enough actions to crash after each of them.
struct CrashWorld : RotationWorld {
    CrashWorld() : RotationWorld({a, b, c}) {
        policy.rollout.soak = std::chrono::seconds{4};
        policy.rollout.min_healthy_time = std::chrono::seconds{1};
    }
};

/// How many actions a whole undisturbed rotation has.
std::size_t actions_of_a_rotation() {
    CrashWorld world;
    world.start();
    world.run();
    return world.log.size();
}

void expect_one_clean_rotation(const RotationWorld& world) {
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.secrets_made, 1);
    EXPECT_EQ(world.patches, 1) << "the API is asked before a PATCH is repeated";
    EXPECT_EQ(world.history.size(), 1U);
    EXPECT_GE(world.fewest_serving, 2) << "one unit at a time is down";
    for (const auto& [name, unit] : world.units) {
        EXPECT_EQ(unit.token, RotationWorld::Token::ours) << name;
        EXPECT_EQ(unit.restarts, 1) << name;
    }
}

/// A crash after each single action: the action took effect and nothing after it did.
TEST(Crash, AfterAnyActionIsFinishedByTheNextStartWithOneSecret) {
    const std::size_t actions = actions_of_a_rotation();
    ASSERT_GT(actions, 100U);
    for (std::size_t n = 1; n < actions; ++n) {
        SCOPED_TRACE(n);
        CrashWorld world;
        world.start();
        for (std::size_t i = 0; i < n; ++i) world.step();
        if (!world.disk_record) continue;  // Before the first record, or after the last.
        world.crash_and_restart();
        world.run();
        expect_one_clean_rotation(world);
        if (HasFailure()) return;
    }
}

/// While the daemon is down, the other units die: what was allowed before may not be done now.
TEST(Crash, NeverRestartsTheLastServingUnitAfterwards) {
    const std::size_t actions = actions_of_a_rotation();
    for (std::size_t n = 1; n < actions; ++n) {
        SCOPED_TRACE(n);
        CrashWorld world;
        world.start();
        for (std::size_t i = 0; i < n; ++i) world.step();
        if (!world.disk_record) continue;
        for (const std::string& dead : {b, c}) {
            UnitState& state = world.unit(dead).state;
            state.active_state = state.sub_state = "failed";
            state.main_pid = 0;
            world.unit(dead).readiness.reset();
        }
        world.crash_and_restart();
        world.run(3'000);  // RotationWorld aborts when a unit is restarted that must not be.
        EXPECT_GE(world.serving(), 1);
        if (HasFailure()) return;
    }
}

TEST(Crash, TwiceAtAnyTwoPointsStillEndsInOneRotation) {
    const std::size_t actions = actions_of_a_rotation();
    for (std::size_t first = 1; first < actions; first += 7) {
        for (std::size_t second = 1; second < 60; second += 5) {
            SCOPED_TRACE(testing::Message() << first << " then " << second);
            CrashWorld world;
            world.start();
            for (std::size_t i = 0; i < first; ++i) world.step();
            if (!world.disk_record) continue;
            world.crash_and_restart();
            for (std::size_t i = 0; i < second && world.step(); ++i) {
            }
            if (!world.disk_record) continue;
            world.crash_and_restart();
            world.run();
            expect_one_clean_rotation(world);
            if (HasFailure()) return;
        }
    }
}

/// Somebody else rotates while the daemon is down: what is on the disk is no truth any more.
TEST(Crash, AsksWhoseTokenTheApiHoldsBeforeItGoesOn) {
    const std::size_t actions = actions_of_a_rotation();
    for (std::size_t n = 1; n < actions; ++n) {
        SCOPED_TRACE(n);
        CrashWorld world;
        world.start();
        for (std::size_t i = 0; i < n; ++i) world.step();
        const bool rolling = world.disk_record && (world.disk_record->phase == Phase::roll ||
                                                   world.disk_record->phase == Phase::soak);
        if (!rolling) continue;
        world.api_token = RotationWorld::Token::foreign;
        world.crash_and_restart();
        world.run();  // RotationWorld aborts on a restart with a token that the API does not hold.
        ASSERT_TRUE(world.done());
        EXPECT_TRUE(world.told(EventKind::foreign_rotation));
        EXPECT_EQ(world.patches, 1);
    }
}

TEST(Crash, StartsTheSoakAnew) {
    RotationWorld world({a, b});
    world.start();
    while (world.count("save soak") == 0) world.step();
    for (int i = 0; i < 400; ++i) world.step();
    ASSERT_EQ(world.unit(b).restarts, 0);
    const BootTime crashed = world.now;
    world.crash_and_restart();
    while (world.count("restart " + b) == 0) world.step();
    EXPECT_GE(world.now - crashed, std::chrono::minutes{10});
}

}  // namespace
}  // namespace keyturn
