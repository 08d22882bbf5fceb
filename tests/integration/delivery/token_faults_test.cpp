#include "fakes/operation_sweep.hpp"
#include "fakes/token_files.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace keyturn {
namespace {

using namespace testing_files;

constexpr std::array errors{ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE, ENFILE, EINTR};

/// Each operation of a rotation in turn.
void expect_old_or_new_file(const FaultPlan& faults, const std::string& name) {
    const int operations = fail_each_operation(faults, name, [](const FaultPlan& plan) {
        const BeforeRotation before(Medium::memory);
        const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
        arm(plan);
        const Result<void> result = rotate(*store);
        const int made = disarm();
        before.expect_old_or_new();
        EXPECT_TRUE(result || made >= plan.at) << "nothing failed";
        if (result) {
            EXPECT_EQ(content_of(before.token_file()), new_token);
        }
        before.expect_recovery();
        return made;
    });
    EXPECT_GT(operations, 40);
}

TEST(TokenFaults, OneFailureAnywhereLeavesTheOldOrTheNewFile) {
    for (const int error : errors) {
        FaultPlan plan;
        plan.error = error;
        expect_old_or_new_file(plan, std::strerror(error));
    }
}

TEST(TokenFaults, EveryFailureFromSomewhereOnLeavesTheOldOrTheNewFile) {
    for (const int error : errors) {
        if (error == EINTR) continue;  // No disk interrupts a write for ever.
        FaultPlan plan;
        plan.error = error;
        plan.for_ever = true;
        expect_old_or_new_file(plan, std::strerror(error));
    }
}

TEST(TokenFaults, ShortWritesAreContinued) {
    FaultPlan plan;
    plan.short_write = true;
    expect_old_or_new_file(plan, "short write");
    plan.for_ever = true;
    expect_old_or_new_file(plan, "short writes");
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
    const int crashes = crash_before_each_operation([](const FaultPlan& plan) {
        const BeforeRotation before(Medium::memory);
        const int status = in_child([&] {
            const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
            arm(plan);
            ::_exit(rotate(*store) ? 0 : 1);
        });
        EXPECT_TRUE(WIFEXITED(status));
        before.expect_old_or_new();
        before.expect_recovery();
        return WEXITSTATUS(status);
    });
    EXPECT_GT(crashes, 40);
}

}  // namespace
}  // namespace keyturn
