#include "integration/files/rotation_steps.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

namespace keyturn {
namespace {

using namespace testing_files;

constexpr int kills = 150;
constexpr int longest_life_microseconds = 4000;

/// Swaps between the two tokens until it is killed.
[[noreturn]] void rotate_for_ever(const std::string& path) {
    const std::unique_ptr<TokenStore> store = make_token_store(path);
    for (;;) {
        for (const std::string& token : {new_token, old_token}) {
            const bool done = store->keep_pending("web", pending_tokens()) &&
                              store->stage("web", rotation_id, Secret::copy_of(token)) &&
                              store->swap_in("web", rotation_id);
            if (!done) ::_exit(1);
        }
    }
}

TEST(TokenKill, SigkillAtAnyMomentLeavesTheOldOrTheNewFile) {
    // On a disk the children would spend their lives waiting for it.
    const BeforeRotation before(Medium::memory);
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> life(0, longest_life_microseconds);
    int changes = 0;
    std::string last = content_of(before.token_file());
    for (int i = 0; i < kills; ++i) {
        const pid_t child = ::fork();
        if (child == 0) rotate_for_ever(before.sandbox.path());
        std::this_thread::sleep_for(std::chrono::microseconds(life(random)));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the rotation failed by itself";
        before.expect_old_or_new("kill " + std::to_string(i));
        const std::string now = content_of(before.token_file());
        changes += now != last ? 1 : 0;
        last = now;
        const Result<std::optional<PendingTokens>> pending =
            make_token_store(before.sandbox.path())->pending("web");
        ASSERT_TRUE(pending) << pending.error().text;
    }
    EXPECT_GT(changes, 5) << "the children were killed before they did anything";
    before.expect_recovery("after all kills");
}

}  // namespace
}  // namespace keyturn
