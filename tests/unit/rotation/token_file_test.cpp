// Somebody else changes the token file while a rotation is open.

#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <utility>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

TEST(TokenFile, ThatIsEmptiedInASoakIsWrittenAgainBeforeTheNextRestart) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "save soak") world.file_emptied = true;
        if (action == "restart " + b) {
            EXPECT_FALSE(world.file_emptied);
        }
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    ASSERT_TRUE(world.told(EventKind::token_file_changed));
    EXPECT_THAT(world.last(EventKind::token_file_changed)->message, HasSubstr("contains no token"));
    EXPECT_FALSE(world.told(EventKind::foreign_rotation));
}

TEST(TokenFile, ThatHoldsTheOldTokenAgainIsWrittenAgainBeforeTheNextRestart) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "save soak") world.file_token = RotationWorld::Token::old;
    };
    world.start();
    world.run();  // RotationWorld aborts on a restart with a token that the API does not hold.
    EXPECT_TRUE(world.done());
    ASSERT_TRUE(world.told(EventKind::token_file_changed));
    EXPECT_THAT(world.last(EventKind::token_file_changed)->message,
                HasSubstr("contains another token"));
}

TEST(TokenFile, ThatIsEmptiedAfterTheLastRestartIsWrittenAgainBeforeTheTokensAreWiped) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "save finish" && !world.told(EventKind::token_file_changed)) {
            world.file_emptied = true;
        }
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::token_file_changed));
    EXPECT_FALSE(world.file_emptied);
}

TEST(TokenFile, IsLookedAtRightBeforeAllAreRestartedAtOnce) {
    RotationWorld world({a, b});
    world.request.kind = RotationKind::compromise;
    world.request.evict_all = true;
    bool emptied = false;
    world.before_action = [&](const std::string& action) {
        if (action == "save roll" && !std::exchange(emptied, true)) world.file_emptied = true;
        if (action.starts_with("restart ")) {
            EXPECT_FALSE(world.file_emptied);
        }
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::token_file_changed));
}

TEST(TokenFile, IsLookedAtAgainWhereTheUnitsWereSeenTooLongAgo) {
    RotationWorld world({a, b});
    bool took_long = false;
    world.before_action = [&](const std::string& action) {
        const bool last_look = action == "check files" && world.count("save soak") > 0 &&
                               world.disk_record->units.back().step == UnitStep::restarting;
        if (!last_look || std::exchange(took_long, true)) return;
        world.now += 3s;
        world.unit(a).readiness->connections = 0;  // Until it has them back.
    };
    world.start();
    world.run();  // RotationWorld aborts where a serving unit goes down and too few others serve.
    EXPECT_TRUE(took_long);
    EXPECT_TRUE(world.done());
}

/// A metrics server that hangs keeps a look at all units up for as long as a look may be old.
TEST(TokenFile, KeepsNoUnitFromItsRestartHoweverLongALookAtTheUnitsTakes) {
    RotationWorld world({a, b, c});
    world.before_action = [&](const std::string& action) {
        const bool hangs = world.disk_record && world.disk_record->phase == Phase::roll &&
                           !world.told(EventKind::unit_verified);
        world.unit(c).silent = hangs ? "no complete answer came within 2000 ms" : "";
        if (hangs && action == "sample") world.now += 2100ms;
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
}

}  // namespace
}  // namespace keyturn
