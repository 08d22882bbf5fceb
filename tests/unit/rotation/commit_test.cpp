#include "unit/rotation/world_test.hpp"

#include <algorithm>

namespace keyturn {
namespace {

using Commit = RotationTest;
using Deliver = RotationTest;
using Confirm = RotationTest;
using Record = RotationTest;

TEST_F(Commit, IsOneRecordThenThePatchThenTheFilesAtOnce) {
    rotate();
    ASSERT_TRUE(done());
    const auto patch = std::ranges::find(log, "patch");
    ASSERT_NE(patch, log.end());
    EXPECT_THAT(std::vector<std::string>(patch - 2, patch + 3),
                ElementsAre("prepare", "save commit", "patch", "deliver", "read token"));
}

TEST_F(Commit, SettlesALostAnswerByAskingAndSendsNoSecondSecret) {
    faults.push_back({"patch", answer_lost, true});
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(patches, 1);
    EXPECT_EQ(secrets_made, 1);
}

TEST_F(Commit, SendsTheSameSecretAgainWhenTheFirstWasLost) {
    fail_next("patch", answer_lost);
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(count("patch"), 2U);
    EXPECT_EQ(secrets_made, 1);
}

TEST_F(Commit, WaitsForAnApiThatIsDown) {
    fail_next("patch", no_answer);
    fail_next("read token", no_answer, 50);
    rotate();
    EXPECT_TRUE(done());
    EXPECT_TRUE(told(EventKind::rotation_waiting));
    EXPECT_TRUE(told(EventKind::rotation_continued));
    EXPECT_EQ(secrets_made, 1);
}

TEST_F(Commit, RefusesWhenTheFirstPatchIsDenied) {
    fail_next("patch", {Fault::denied, "403", {}});
    rotate();
    EXPECT_TRUE(refused());
    EXPECT_EQ(file_token, Token::old);
    EXPECT_FALSE(pending_kept);
}

TEST_F(Commit, HoldsWhenARetryIsDenied) {
    fail_next("patch", answer_lost);
    fail_next("patch", {Fault::denied, "403", {}});
    rotate();
    ASSERT_EQ(held_for(), HoldReason::denied);
    EXPECT_TRUE(pending_kept) << "either direction must stay possible";
}

TEST_F(Deliver, WaitsOutAFullDisk) {
    fail_next("deliver", disk_full, 5);
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(count("deliver"), 6U);
}

TEST_F(Deliver, HoldsForWhatAPersonHasToMend) {
    fail_next("deliver", {Fault::invalid, "tokens/web is a symbolic link", {}});
    rotate();
    ASSERT_TRUE(held());
    EXPECT_THAT(hold().text, HasSubstr("symbolic link"));
    EXPECT_EQ(restarts(a), 0);
    retry();
    EXPECT_TRUE(done());
    EXPECT_EQ(secrets_made, 1);
}

TEST_F(Confirm, RestartsNothingWhileTheApiShowsTheOldToken) {
    token_shown = Token::old;
    const BootTime begun = now;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::secret_not_taken);
    EXPECT_GE(now - begun, 120s);
    EXPECT_TRUE(told(EventKind::token_put_back));
    EXPECT_EQ(file_token, Token::old);
    EXPECT_EQ(restarts(), 0);
}

TEST_F(Confirm, TakesOverTheTokenOfSomebodyElse) {
    once_before("deliver", [&] { api_token = Token::foreign; });
    rotate();
    ASSERT_TRUE(done());
    EXPECT_TRUE(told(EventKind::foreign_rotation));
    EXPECT_EQ(count("deliver"), 2U);
    EXPECT_EQ(history.front().new_fingerprint, "theirs");
    EXPECT_EQ(secrets_made, 1);
}

TEST_F(Confirm, HoldsWhenSomebodyElseKeepsRotating) {
    before("deliver", [&] { api_token = Token::foreign; });
    rotate();
    ASSERT_EQ(held_for(), HoldReason::foreign_rotation);
    EXPECT_EQ(restarts(a), 0);
}

TEST_F(Record, IsWrittenBeforeAnyRestartEvenOnAFullDisk) {
    before("deliver", [&] { fail_next("save roll", disk_full, 4); });
    rotate();
    EXPECT_TRUE(done());  // RotationWorld checks that each restart was recorded.
    EXPECT_TRUE(told(EventKind::rotation_waiting));
}

}  // namespace
}  // namespace keyturn
