// State and tokens are read and written when this process has no file descriptor left.
#include "base/unique_fd.hpp"
#include "fakes/sample_state.hpp"
#include "fakes/token_files.hpp"
#include "state/state_store.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <vector>

namespace keyturn {
namespace {

using namespace testing_files;

/// Takes every descriptor that is left, for as long as it lives.
class NoneLeft {
  public:
    NoneLeft() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const rlimit few{64, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
        for (;;) {
            UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (!fd.valid()) break;
            taken_.push_back(std::move(fd));
        }
        EXPECT_EQ(errno, EMFILE);
    }
    NoneLeft(const NoneLeft&) = delete;
    NoneLeft& operator=(const NoneLeft&) = delete;
    ~NoneLeft() { static_cast<void>(::setrlimit(RLIMIT_NOFILE, &before_)); }

    /// What is held in reserve is nobody else's.
    [[nodiscard]] static bool for_others() {
        const UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        return fd.valid();
    }

  private:
    rlimit before_{};
    std::vector<UniqueFd> taken_;
};

TEST(Descriptors, AreKeptForTheState) {
    const Sandbox sandbox(Medium::memory);
    const Result<std::unique_ptr<StateStore>> store = make_state_store(sandbox.path());
    ASSERT_TRUE((*store)->save("web", sample_state()));
    const NoneLeft none_left;
    for (int round = 0; round < 3; ++round) {
        EXPECT_FALSE(none_left.for_others());
        const Result<void> saved = (*store)->save("web", sample_state());
        EXPECT_TRUE(saved) << saved.error().text;
        const Result<std::optional<TunnelState>> loaded = (*store)->load("web");
        ASSERT_TRUE(loaded) << loaded.error().text;
        EXPECT_EQ(**loaded, sample_state());
        EXPECT_TRUE((*store)->append_history("web", HistoryEntry{}));
        EXPECT_TRUE((*store)->history("web", 1));
        EXPECT_TRUE((*store)->tunnels());
    }
}

TEST(Descriptors, AreKeptForTheTokens) {
    const BeforeRotation before(Medium::memory);
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    {
        const NoneLeft none_left;
        const Result<void> rotated = rotate(*store);
        EXPECT_TRUE(rotated) << rotated.error().text;
        store->sweep({"web"});
        EXPECT_FALSE(none_left.for_others());
    }
    EXPECT_EQ(content_of(before.token_file()), new_token);
}

TEST(Descriptors, AreKeptAfterAFailureToo) {
    const BeforeRotation before(Medium::memory);
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    const std::unique_ptr<TokenStore> nowhere = make_token_store(before.sandbox / "nowhere");
    const NoneLeft none_left;
    EXPECT_EQ(nowhere->current("web").error().fault, Fault::missing);
    EXPECT_FALSE(none_left.for_others());
    EXPECT_TRUE(store->current("web"));
}

}  // namespace
}  // namespace keyturn
