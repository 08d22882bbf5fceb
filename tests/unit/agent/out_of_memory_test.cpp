#include "fakes/allocations.hpp"
#include "fakes/crash_loop.hpp"
#include "unit/agent/agent_fixture.hpp"

#include <array>
#include <new>
#include <sys/mman.h>

namespace keyturn {
namespace {

/// What outlives the process that runs out of memory.
struct Outside {
    std::array<char, 64> secret{};  ///< What the API holds, in base64.
    int patches = 0;
    bool other_secrets = false;  ///< More than one was sent.
    std::size_t allocations_before_the_patch = 0;
    std::size_t allocations = 0;

    [[nodiscard]] std::string_view held() const { return secret.data(); }
};

constexpr int exit_by_exception = 3;

class OutOfMemory : public TunnelAgentTest {
  public:
    OutOfMemory() {
        policy_.rollout.soak = 2s;
        policy_.rollout.min_healthy_time = 1s;
        void* shared = ::mmap(nullptr, sizeof(Outside), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        EXPECT_NE(shared, MAP_FAILED);
        outside_ = new (shared) Outside();
    }
    ~OutOfMemory() override { ::munmap(outside_, sizeof(Outside)); }
    void TestBody() override {}

    /// Rotates in a keyturnd whose n-th allocation and all later ones fail.
    int rotate_in_a_child(std::size_t out_at) {
        start_serving();
        return testing_files::in_child([&] {
            ::close(STDERR_FILENO);  // Each child would report its end here.
            const std::size_t before = allocations::count();
            host_->on_patch = [&](std::string_view secret) { note_patch(secret, before); };
            try {
                if (out_at > 0) allocations::run_out_at(out_at);
                static_cast<void>(agent_->request_rotation({}));
                run_until_state("running");
                run_until_state("idle");
            } catch (const std::bad_alloc&) {
                ::_exit(exit_by_exception);
            }
            outside_->allocations = allocations::count() - before;
            ::_exit(agent_.running() ? 0 : exit_by_exception);
        });
    }

    /// systemd starts keyturnd again. The host has restarted, too.
    void expect_recovery() {
        stop();
        reopen_state();
        const bool patched = outside_->patches > 0;
        if (patched) host_->hold_secret(outside_->held());
        bool same_secret = true;
        host_->on_patch = [&](std::string_view secret) {
            same_secret = same_secret && (!patched || secret == outside_->held());
        };
        host_->start_units();
        start();
        ASSERT_TRUE(run_until_state("idle", 1h)) << status().reason;
        pass(1min);
        EXPECT_TRUE(same_secret && !outside_->other_secrets) << "one rotation is one secret";
        EXPECT_TRUE(file_holds_the_api_token());
        EXPECT_FALSE(keeps_secrets());
        expect_all_connected();
    }

    [[nodiscard]] const Outside& outside() const { return *outside_; }

  private:
    void note_patch(std::string_view secret, std::size_t before) {
        if (outside_->patches > 0 && secret != outside_->held()) outside_->other_secrets = true;
        std::ranges::copy(secret, outside_->secret.begin());
        ++outside_->patches;
        outside_->allocations_before_the_patch = allocations::count() - before;
    }

    Outside* outside_ = nullptr;
};

TEST(Memory, ThatRunsOutAnywhereEndsTheDaemonAndTheNextOneGoesOn) {
    OutOfMemory healthy;
    ASSERT_EQ(healthy.rotate_in_a_child(0), 0);
    const std::size_t last = healthy.outside().allocations;
    const std::size_t patch = healthy.outside().allocations_before_the_patch;
    ASSERT_GT(patch, 100U);
    ASSERT_GT(last, 2 * patch);
    int interrupted = 0;
    const auto run_out = [&](std::size_t at) {
        OutOfMemory world;
        const int status = world.rotate_in_a_child(at);
        const bool ended = WIFSIGNALED(status) ? WTERMSIG(status) == SIGABRT
                                               : WEXITSTATUS(status) == exit_by_exception;
        ASSERT_TRUE(ended) << "it continues without memory: " << status;
        if (world.outside().patches > 0) ++interrupted;
        world.expect_recovery();
    };
    at_each(points(1, last, last / 60), run_out);
    at_each(points(patch - 60, patch + 60, 2), run_out);
    EXPECT_GT(interrupted, 20) << "some of them after the PATCH";
}

}  // namespace
}  // namespace keyturn
