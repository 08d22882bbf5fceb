#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";

/// Somebody else has rotated a tunnel that was idle.
struct TakeOverWorld : RotationWorld {
    TakeOverWorld() : RotationWorld({a, b}) {
        request.kind = RotationKind::takeover;
        api_token = Token::foreign;
        policy.rollout.soak = std::chrono::seconds{4};
        policy.rollout.min_healthy_time = std::chrono::seconds{1};
    }
};

TEST(TakeOver, BringsEveryUnitOntoTheirTokenAndSendsNoSecret) {
    TakeOverWorld world;
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(b).restarts, 1);
    EXPECT_EQ(world.patches, 0);
    EXPECT_EQ(world.secrets_made, 0);
    EXPECT_EQ(world.history.front().outcome, Outcome::taken_over);
    EXPECT_EQ(world.history.front().old_fingerprint, "old");
    EXPECT_EQ(world.history.front().new_fingerprint, "theirs");
}

TEST(TakeOver, GoesOnAfterACrashAtAnyPoint) {
    TakeOverWorld whole;
    whole.start();
    whole.run();
    for (std::size_t n = 1; n < whole.log.size(); ++n) {
        SCOPED_TRACE(n);
        TakeOverWorld world;
        world.start();
        for (std::size_t i = 0; i < n; ++i) world.step();
        if (!world.disk_record) continue;
        world.crash_and_restart();
        world.run();
        ASSERT_TRUE(world.done());
        EXPECT_EQ(world.patches, 0);
        EXPECT_EQ(world.unit(a).restarts, 1);
        EXPECT_EQ(world.unit(b).restarts, 1);
        EXPECT_EQ(world.history.front().outcome, Outcome::taken_over);
    }
}

TEST(TakeOver, DeliversWhateverStateTheUnitsAreIn) {
    TakeOverWorld world;
    for (const std::string& name : {a, b}) {
        world.unit(name).readiness->serving = false;
        world.unit(name).readiness->connections = 0;
    }
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.serving(), 2);
}

TEST(TakeOver, IsNotNeededWhenTheTokenCameBack) {
    TakeOverWorld world;
    world.api_token = Token::old;
    world.start();
    world.run();
    EXPECT_TRUE(world.refused());
    EXPECT_EQ(world.count("deliver"), 0U);
}

TEST(TakeOver, HoldsForASecretThatWasRotatedAway) {
    TakeOverWorld world;
    world.retired = {"theirs"};
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::retired_secret);
    EXPECT_EQ(world.count("deliver"), 0U);
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done()) << "because a person said so";
}

TEST(Adoption, EndsARotationOnTheirTokenAndSendsOursNoMore) {
    RotationWorld world({a, b});
    world.start();
    while (world.count("restart " + a) == 0) world.step();
    world.api_token = Token::foreign;
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.history.front().outcome, Outcome::taken_over);
    EXPECT_EQ(world.patches, 1);
}

TEST(Retiring, RemembersWhatWasRotatedAwayAndForgetsWhatCameBack) {
    TunnelState state;
    retire(state, "one", "two");
    retire(state, "two", "three");
    EXPECT_THAT(state.retired, testing::ElementsAre("one", "two"));
    retire(state, "three", "one");
    EXPECT_THAT(state.retired, testing::ElementsAre("two", "three"));
    for (std::size_t i = 0; i < 2 * retired_max; ++i) {
        retire(state, std::to_string(i), std::to_string(i + 1));
    }
    EXPECT_EQ(state.retired.size(), retired_max);
    EXPECT_EQ(state.retired.back(), std::to_string(2 * retired_max - 1));
}

}  // namespace
}  // namespace keyturn
