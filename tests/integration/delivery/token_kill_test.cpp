#include "base/unique_fd.hpp"
#include "fakes/token_files.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <random>
#include <thread>
#include <unistd.h>

namespace keyturn {
namespace {

using namespace testing_files;

constexpr int kills = 150;
constexpr int longest_life_microseconds = 4000;
constexpr int start_deadline_milliseconds = 20'000;

/// Swaps the two tokens until it is killed. Writes to `started` after the first swap.
[[noreturn]] void rotate_for_ever(const std::string& path, int started) {
    const std::unique_ptr<TokenStore> store = make_token_store(path);
    for (bool told = false;;) {
        for (const std::string& token : {new_token, old_token}) {
            const bool done = store->keep_pending("web", pending_tokens()) &&
                              store->stage("web", rotation_id, Secret::copy_of(token)) &&
                              store->swap_in("web", rotation_id);
            if (!done) ::_exit(1);
            if (!told && ::write(started, "!", 1) != 1) ::_exit(1);
            told = true;
        }
    }
}

/// The start of a child takes longer on a busy machine, so its life counts from here.
bool has_started(int started) {
    pollfd descriptor{started, POLLIN, 0};
    char told = 0;
    return ::poll(&descriptor, 1, start_deadline_milliseconds) == 1 &&
           ::read(started, &told, 1) == 1;
}

TEST(TokenKill, SigkillAtAnyMomentLeavesTheOldOrTheNewFile) {
    // On a disk the children would only wait for it.
    const BeforeRotation before(Medium::memory);
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> life(0, longest_life_microseconds);
    int changes = 0;
    std::string last = content_of(before.token_file());
    std::array<int, 2> started{};
    ASSERT_EQ(::pipe2(started.data(), O_CLOEXEC), 0);
    const UniqueFd reading(started[0]);
    const UniqueFd writing(started[1]);
    for (int i = 0; i < kills; ++i) {
        const pid_t child = ::fork();
        if (child == 0) rotate_for_ever(before.sandbox.path(), started[1]);
        ASSERT_TRUE(has_started(reading.get())) << "the child does nothing";
        std::this_thread::sleep_for(std::chrono::microseconds(life(random)));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the rotation failed by itself";
        SCOPED_TRACE(testing::Message() << "kill " << i);
        before.expect_old_or_new();
        const std::string now = content_of(before.token_file());
        changes += now != last ? 1 : 0;
        last = now;
        const Result<std::optional<PendingTokens>> pending =
            make_token_store(before.sandbox.path())->pending("web");
        ASSERT_TRUE(pending) << pending.error().text;
    }
    EXPECT_GT(changes, 5) << "the children were killed before they did anything";
    before.expect_recovery();
}

}  // namespace
}  // namespace keyturn
