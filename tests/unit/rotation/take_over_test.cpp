#include "fakes/crash_loop.hpp"
#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

using ForeignToken = RotationTest;

/// Somebody else has rotated a tunnel that was idle.
struct TakeOverWorld : RotationWorld {
    TakeOverWorld() {
        request.kind = RotationKind::takeover;
        api_token = Token::foreign;
        be_quick();
    }
};

using TakeOver = WorldTest<TakeOverWorld>;

TEST_F(TakeOver, BringsEveryUnitOntoTheirTokenAndSendsNoSecret) {
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(restarts(b), 1);
    EXPECT_EQ(patches, 0);
    EXPECT_EQ(secrets_made, 0);
    EXPECT_EQ(outcome(), Outcome::taken_over);
    EXPECT_EQ(history.front().old_fingerprint, "old");
    EXPECT_EQ(history.front().new_fingerprint, "theirs");
}

TEST_F(TakeOver, GoesOnAfterACrashAtAnyPoint) {
    after_every_action(started<TakeOverWorld>(), [](TakeOverWorld& world) {
        world.crash_and_restart();
        world.run();
        ASSERT_TRUE(world.done());
        EXPECT_EQ(world.patches, 0);
        EXPECT_EQ(world.restarts(a), 1);
        EXPECT_EQ(world.restarts(b), 1);
        EXPECT_EQ(world.outcome(), Outcome::taken_over);
    });
}

TEST_F(TakeOver, DeliversWhateverStateTheUnitsAreIn) {
    for (const std::string& name : {a, b}) {
        unit(name).readiness->serving = false;
        unit(name).readiness->connections = 0;
    }
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(serving(), 2);
}

TEST_F(TakeOver, IsNotNeededWhenTheTokenCameBack) {
    api_token = Token::old;
    rotate();
    EXPECT_TRUE(refused());
    EXPECT_EQ(count("deliver"), 0U);
}

TEST_F(TakeOver, HoldsForASecretThatWasRotatedAway) {
    retired = {"theirs"};
    rotate();
    ASSERT_EQ(held_for(), HoldReason::retired_secret);
    EXPECT_EQ(count("deliver"), 0U);
    retry();
    EXPECT_TRUE(done()) << "because a person said so";
}

TEST_F(ForeignToken, EndsARotationOnTheirTokenAndSendsOursNoMore) {
    start();
    ASSERT_TRUE(run_past("restart " + a));
    api_token = Token::foreign;
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::taken_over);
    EXPECT_EQ(patches, 1);
}

TEST(Retiring, RemembersWhatWasRotatedAwayAndForgetsWhatCameBack) {
    TunnelState state;
    retire(state, "one", "two");
    retire(state, "two", "three");
    EXPECT_THAT(state.retired, ElementsAre("one", "two"));
    retire(state, "three", "one");
    EXPECT_THAT(state.retired, ElementsAre("two", "three"));
    for (std::size_t i = 0; i < 2 * retired_max; ++i) {
        retire(state, std::to_string(i), std::to_string(i + 1));
    }
    EXPECT_EQ(state.retired.size(), retired_max);
    EXPECT_EQ(state.retired.back(), std::to_string(2 * retired_max - 1));
}

}  // namespace
}  // namespace keyturn
