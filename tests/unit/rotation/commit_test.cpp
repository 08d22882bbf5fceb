#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";

TEST(Commit, IsOneRecordThenThePatchThenTheFilesAtOnce) {
    RotationWorld world({a, b});
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    const auto patch = std::ranges::find(world.log, "patch");
    ASSERT_NE(patch, world.log.end());
    EXPECT_THAT(std::vector<std::string>(patch - 2, patch + 3),
                ElementsAre("prepare", "save commit", "patch", "deliver", "read token"));
}

TEST(Commit, SettlesALostAnswerByAskingAndSendsNoSecondSecret) {
    RotationWorld world({a, b});
    world.faults.push_back({"patch", {Fault::ambiguous, "no answer", {}}, true});
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.patches, 1);
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Commit, SendsTheSameSecretAgainWhenTheFirstWasLost) {
    RotationWorld world({a, b});
    world.faults.push_back({"patch", {Fault::ambiguous, "no answer", {}}, false});
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.count("patch"), 2U);
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Commit, WaitsForAnApiThatIsDown) {
    RotationWorld world({a, b});
    world.faults.push_back({"patch", {Fault::unreachable, "connection refused", {}}, false});
    for (int i = 0; i < 50; ++i) {
        world.faults.push_back({"read token", {Fault::unreachable, "connection refused", {}}});
    }
    // The first read belongs to preflight, so the faults begin with the PATCH.
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::rotation_waiting));
    EXPECT_TRUE(world.told(EventKind::rotation_continued));
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Commit, RefusesWhenTheFirstPatchIsDenied) {
    RotationWorld world({a, b});
    world.faults.push_back({"patch", {Fault::denied, "403", {}}, false});
    world.start();
    world.run();
    EXPECT_TRUE(world.refused());
    EXPECT_EQ(world.file_token, Token::old);
    EXPECT_FALSE(world.pending_kept);
}

TEST(Commit, HoldsWhenARetryIsDenied) {
    RotationWorld world({a, b});
    world.faults.push_back({"patch", {Fault::ambiguous, "no answer", {}}, false});
    world.faults.push_back({"patch", {Fault::denied, "403", {}}, false});
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::denied);
    EXPECT_TRUE(world.pending_kept) << "either direction must stay possible";
}

TEST(Deliver, WaitsOutAFullDisk) {
    RotationWorld world({a, b});
    for (int i = 0; i < 5; ++i) {
        world.faults.push_back({"deliver", {Fault::storage, "No space left on device", {}}});
    }
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.count("deliver"), 6U);
}

TEST(Deliver, HoldsForWhatAPersonHasToMend) {
    RotationWorld world({a, b});
    world.faults.push_back({"deliver", {Fault::invalid, "tokens/web is a symbolic link", {}}});
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("symbolic link"));
    EXPECT_EQ(world.unit(a).restarts, 0);
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Confirm, RestartsNothingWhileTheApiShowsTheOldToken) {
    RotationWorld world({a, b});
    world.token_shown = RotationWorld::Token::old;
    const BootTime start = world.now;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_GE(world.now - start, 120s);
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::secret_not_taken);
    EXPECT_TRUE(world.told(EventKind::token_put_back));
    EXPECT_EQ(world.file_token, Token::old);
    EXPECT_EQ(world.unit(a).restarts + world.unit(b).restarts, 0);
}

TEST(Confirm, TakesOverTheTokenOfSomebodyElse) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "deliver" && world.count("deliver") == 0) world.api_token = Token::foreign;
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
    EXPECT_EQ(world.count("deliver"), 2U);
    EXPECT_EQ(world.history.front().new_fingerprint, "theirs");
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Confirm, HoldsWhenSomebodyElseKeepsRotating) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "deliver") world.api_token = Token::foreign;
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::foreign_rotation);
    EXPECT_EQ(world.unit(a).restarts, 0);
}

TEST(Record, IsWrittenBeforeAnyRestartEvenOnAFullDisk) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "deliver") {
            for (int i = 0; i < 4; ++i) {
                world.faults.push_back({"save roll", {Fault::storage, "No space left", {}}});
            }
        }
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());  // RotationWorld checks that each restart was recorded.
    EXPECT_TRUE(world.told(EventKind::rotation_waiting));
}

}  // namespace
}  // namespace keyturn
