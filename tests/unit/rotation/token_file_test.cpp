// Somebody else changes the token file while a rotation is open.

#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <optional>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";

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
    EXPECT_THAT(world.last(EventKind::token_file_changed)->message, HasSubstr("holds no token"));
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
                HasSubstr("holds another token"));
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

}  // namespace
}  // namespace keyturn
