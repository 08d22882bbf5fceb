#include "fakes/crash_loop.hpp"
#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

void expect_one_clean_rotation(const RotationWorld& world) {
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.secrets_made, 1);
    EXPECT_EQ(world.patches, 1) << "the API is asked before a PATCH is repeated";
    EXPECT_THAT(world.history, SizeIs(1));
    EXPECT_GE(world.fewest_serving, 2) << "one unit at a time is down";
    for (const auto& [name, unit] : world.units) {
        EXPECT_EQ(unit.token, Token::ours) << name;
        EXPECT_EQ(unit.restarts, 1) << name;
    }
}

TEST(Crash, AfterAnyActionIsFinishedByTheNextStartWithOneSecret) {
    int crashes = 0;
    after_every_action(started<CrashWorld>(), [&](CrashWorld& world) {
        ++crashes;
        world.crash_and_restart();
        world.run();
        expect_one_clean_rotation(world);
    });
    EXPECT_GT(crashes, 100);
}

/// While keyturnd is down, the other units die: the restart that was allowed is not any more.
TEST(Crash, NeverRestartsTheLastServingUnitAfterwards) {
    after_every_action(started<CrashWorld>(), [](CrashWorld& world) {
        for (const std::string& dead : {b, c}) world.unit(dead).fail();
        world.crash_and_restart();
        world.run(3'000);  // RotationWorld aborts when a unit is restarted that must not be.
        EXPECT_GE(world.serving(), 1);
    });
}

TEST(Crash, TwiceAtAnyTwoPointsStillEndsInOneRotation) {
    CrashWorld whole;
    whole.rotate();
    at_each(points(1, whole.log.size(), 7), [](std::size_t first) {
        at_each(points(1, 60, 5), [&](std::size_t second) {
            CrashWorld world = started<CrashWorld>();
            for (const std::size_t actions : {first, second}) {
                world.steps(actions);
                if (!world.disk_record) return;
                world.crash_and_restart();
            }
            world.run();
            expect_one_clean_rotation(world);
        });
    });
}

/// Somebody else rotates while keyturnd is down: the record is outdated.
TEST(Crash, AsksWhoseTokenTheApiHoldsBeforeItGoesOn) {
    after_every_action(started<CrashWorld>(), [](CrashWorld& world) {
        const Phase phase = world.disk_record->phase;
        if (phase != Phase::roll && phase != Phase::soak) return;
        world.api_token = Token::foreign;
        world.crash_and_restart();
        world.run();  // RotationWorld aborts on a restart with a token that the API does not hold.
        ASSERT_TRUE(world.done());
        EXPECT_TRUE(world.told(EventKind::foreign_rotation));
        EXPECT_EQ(world.patches, 1);
    });
}

TEST(Crash, StartsTheSoakAnew) {
    RotationWorld world;
    world.start();
    ASSERT_TRUE(world.run_past("save soak"));
    world.steps(400);
    ASSERT_EQ(world.restarts(b), 0);
    const BootTime crashed = world.now;
    world.crash_and_restart();
    ASSERT_TRUE(world.run_past("restart " + b));
    EXPECT_GE(world.now - crashed, 10min);
}

}  // namespace
}  // namespace keyturn
