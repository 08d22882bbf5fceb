#include "integration/files/file_faults.hpp"
#include "integration/files/rotation_steps.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace keyturn {
namespace {

using namespace testing_files;

constexpr std::array errors{ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE, ENFILE, EINTR};

/// Makes the n-th file operation of a rotation fail, for each n; returns how many there are.
int sweep_over(FaultPlan plan, const std::string& name) {
    for (int at = 1;; ++at) {
        const BeforeRotation before(Medium::memory);
        const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
        plan.at = at;
        arm(plan);
        const Result<void> result = rotate(*store);
        const int operations = disarm();
        if (operations < at) {
            EXPECT_TRUE(result) << name;
            return operations;
        }
        const std::string what = name + " at operation " + std::to_string(at);
        before.expect_old_or_new(what);
        if (result) {
            EXPECT_EQ(content_of(before.token_file()), new_token) << what;
        }
        before.expect_recovery(what);
        if (testing::Test::HasFailure()) return operations;
    }
}

TEST(TokenFaults, OneFailureAnywhereLeavesTheOldOrTheNewFile) {
    for (const int error : errors) {
        FaultPlan plan;
        plan.error = error;
        EXPECT_GT(sweep_over(plan, std::string("once ") + std::strerror(error)), 40);
    }
}

TEST(TokenFaults, EveryFailureFromSomewhereOnLeavesTheOldOrTheNewFile) {
    for (const int error : errors) {
        if (error == EINTR)
            continue;  // A write that is interrupted for ever is no fault of a disk.
        FaultPlan plan;
        plan.error = error;
        plan.for_ever = true;
        EXPECT_GT(sweep_over(plan, std::string("for ever ") + std::strerror(error)), 40);
    }
}

TEST(TokenFaults, ShortWritesAreContinued) {
    FaultPlan plan;
    plan.short_write = true;
    EXPECT_GT(sweep_over(plan, "short write"), 40);
    plan.for_ever = true;
    EXPECT_GT(sweep_over(plan, "short writes"), 40);
}

TEST(TokenFaults, AFailureNamesThePathAndIsOfTheDisk) {
    const BeforeRotation before;
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    FaultPlan full;
    full.full_while = before.sandbox.path();
    arm(full);
    const Result<void> staged = store->stage("web", rotation_id, Secret::copy_of(new_token));
    const Result<void> checked = store->check("web");
    disarm();
    for (const Result<void>& result : {staged, checked}) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().fault, Fault::storage);
        EXPECT_EQ(result.error().text, "cannot create a file in " + (before.sandbox / "tokens") +
                                           ": No space left on device");
    }
}

TEST(TokenFaults, SwappingInAndStagingAgainNeedNoRoom) {
    const BeforeRotation before;
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    ASSERT_TRUE(store->stage("web", rotation_id, Secret::copy_of(new_token)));
    FaultPlan full;
    full.full_while = before.sandbox.path();
    arm(full);
    const Result<void> staged = store->stage("web", rotation_id, Secret::copy_of(new_token));
    const Result<void> swapped = store->swap_in("web", rotation_id);
    disarm();
    EXPECT_TRUE(staged);
    EXPECT_TRUE(swapped);
    EXPECT_EQ(content_of(before.token_file()), new_token);
}

TEST(TokenFaults, AnUnsyncedDirectoryIsNotDelivered) {
    const BeforeRotation before;
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    ASSERT_TRUE(store->stage("web", rotation_id, Secret::copy_of(new_token)));
    arm(FaultPlan{});
    ASSERT_TRUE(store->swap_in("web", rotation_id));
    const int last = disarm();
    ASSERT_EQ(trace().back(), "sync directory");
    ASSERT_TRUE(store->stage("web", rotation_id, Secret::copy_of(new_token)));
    FaultPlan plan;
    plan.at = last;
    plan.error = EIO;
    arm(plan);
    const Result<void> swapped = store->swap_in("web", rotation_id);
    disarm();
    ASSERT_FALSE(swapped);
    EXPECT_EQ(swapped.error().fault, Fault::storage);
}

TEST(TokenFaults, ACrashBeforeAnyOperationLeavesTheOldOrTheNewFile) {
    FaultPlan plan;
    plan.crash = true;
    int crashes = 0;
    for (plan.at = 1;; ++plan.at) {
        const BeforeRotation before(Medium::memory);
        const int status = in_child([&] {
            const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
            arm(plan);
            ::_exit(rotate(*store) ? 0 : 1);
        });
        ASSERT_TRUE(WIFEXITED(status));
        const std::string what = "crash before operation " + std::to_string(plan.at);
        before.expect_old_or_new(what);
        if (WEXITSTATUS(status) == 0) break;
        ASSERT_EQ(WEXITSTATUS(status), crash_status) << what;
        ++crashes;
        before.expect_recovery(what);
    }
    EXPECT_GT(crashes, 40);
}

}  // namespace
}  // namespace keyturn
