#include "fakes/file_faults.hpp"
#include "fakes/sample_state.hpp"
#include "fakes/token_files.hpp"
#include "state/state_store.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace keyturn {
namespace {

using namespace testing_files;

/// What a disk may have kept: for each directory the names in it, for each file its bytes.
struct Kept {
    std::map<std::string, std::map<std::string, ino_t>> names;
    std::map<ino_t, std::string> bytes;

    /// Makes files of it; a file whose bytes never reached the disk is empty.
    void put_into(const Sandbox& sandbox) const {
        for (const auto& [directory, entries] : names) {
            const std::string path = sandbox / directory;
            std::filesystem::create_directories(path);
            ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
            for (const auto& [name, inode] : entries) {
                const auto found = bytes.find(inode);
                put(path + "/" + name, found == bytes.end() ? "" : found->second);
            }
        }
    }
};

/// A directory on a disk that keeps nothing until it is told to: data and names each by their own
/// fsync. Before each operation it writes down what a power cut would leave: nothing but what was
/// synced, or all names (journals often keep those) and only the synced bytes.
class LazyDisk {
  public:
    explicit LazyDisk(const Sandbox& sandbox) : sandbox_(sandbox) {
        kept_.names = names_now();
        for (const auto& [directory, entries] : kept_.names) {
            for (const auto& [name, inode] : entries) {
                kept_.bytes[inode] = content_of(sandbox_ / (directory + "/" + name));
            }
        }
        watch({[this] { note(); }, [this](int fd) { keep(fd); }});
        arm(FaultPlan{});
    }
    LazyDisk(const LazyDisk&) = delete;
    LazyDisk& operator=(const LazyDisk&) = delete;
    ~LazyDisk() { disarm(); }

    /// How many moments there have been so far.
    [[nodiscard]] std::size_t moment() const { return strict_.size(); }

    std::vector<Kept> strict_;
    std::vector<Kept> names_first_;

  private:
    void note() {
        strict_.push_back(kept_);
        names_first_.push_back(kept_);
        names_first_.back().names = names_now();
    }

    void keep(int fd) {
        struct stat status {};
        ASSERT_EQ(::fstat(fd, &status), 0);
        const std::string path =
            std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
        if (!S_ISDIR(status.st_mode)) {
            kept_.bytes[status.st_ino] = content_of(path);
            return;
        }
        const std::string directory = std::filesystem::relative(path, sandbox_.path());
        kept_.names[directory] = names_now()[directory];
    }

    std::map<std::string, std::map<std::string, ino_t>> names_now() const {
        std::map<std::string, std::map<std::string, ino_t>> names;
        for (const char* directory : {"state", "history", "tokens", "pending"}) {
            const std::string path = sandbox_ / directory;
            if (!std::filesystem::exists(path)) continue;
            auto& entries = names[directory];
            for (const auto& entry : std::filesystem::directory_iterator(path)) {
                struct stat status {};
                EXPECT_EQ(::lstat(entry.path().c_str(), &status), 0);
                entries[entry.path().filename()] = status.st_ino;
            }
        }
        return names;
    }

    const Sandbox& sandbox_;
    Kept kept_;
};

int batch_on(const Kept& kept) {
    const Sandbox sandbox(Medium::memory);
    kept.put_into(sandbox);
    const auto store = make_state_store(sandbox.path());
    const auto state = (*store)->load("web");
    return state && *state ? (*state)->rotation->batch : -1;
}

TEST(PowerCut, AtAnyMomentLeavesTheStateThatWasAcknowledgedOrTheOneBeingSaved) {
    const Sandbox sandbox(Medium::memory);
    auto store = *make_state_store(sandbox.path());
    ASSERT_TRUE(store->save("web", sample_state(1)));
    ASSERT_TRUE(store->save("web", sample_state(2)));
    LazyDisk disk(sandbox);
    std::vector<std::size_t> acknowledged;
    for (const int batch : {3, 4}) {
        ASSERT_TRUE(store->save("web", sample_state(batch)));
        acknowledged.push_back(disk.moment());
    }
    ASSERT_TRUE(store->append_history("web", sample_entry("a")));
    disarm();
    ASSERT_GT(disk.moment(), acknowledged.back() + 4);
    for (std::size_t at = 0; at < disk.moment(); ++at) {
        const int least = at < acknowledged[0] ? 2 : at < acknowledged[1] ? 3 : 4;
        for (const auto* cuts : {&disk.strict_, &disk.names_first_}) {
            const int batch = batch_on(cuts->at(at));
            EXPECT_GE(batch, least) << "before operation " << at;
            EXPECT_LE(batch, 4);
        }
    }
}

/// What is found after a power cut in the middle of a rotation's files.
struct Found {
    explicit Found(const Kept& kept) {
        const Sandbox sandbox(Medium::memory);
        kept.put_into(sandbox);
        token = content_of(sandbox / "tokens/web");
        const std::unique_ptr<TokenStore> store = make_token_store(sandbox.path());
        const auto kept_tokens = store->pending("web");
        readable = kept_tokens.has_value();
        pending = kept_tokens && *kept_tokens ? text_of((*kept_tokens)->new_token) : "";
        recovers = rotate(*store) && content_of(sandbox / "tokens/web") == new_token;
    }
    std::string token;
    std::string pending;
    bool readable = false;
    bool recovers = false;
};

TEST(PowerCut, AtAnyMomentLeavesTheOldOrTheNewTokenAndTheSecretsThatWereKept) {
    const BeforeRotation before(Medium::memory);
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    LazyDisk disk(before.sandbox);
    ASSERT_TRUE(store->check("web"));
    ASSERT_TRUE(store->keep_pending("web", pending_tokens()));
    const std::size_t kept = disk.moment();
    ASSERT_TRUE(store->stage("web", rotation_id, Secret::copy_of(new_token)));
    ASSERT_TRUE(store->swap_in("web", rotation_id));
    const std::size_t delivered = disk.moment();
    ASSERT_TRUE(store->forget_pending("web"));
    disarm();
    for (std::size_t at = 0; at < disk.moment(); ++at) {
        for (const auto* cuts : {&disk.strict_, &disk.names_first_}) {
            const Found found(cuts->at(at));
            SCOPED_TRACE(testing::Message() << "before operation " << at);
            EXPECT_TRUE(found.token == new_token || found.token == old_token) << found.token;
            if (at >= delivered) {
                EXPECT_EQ(found.token, new_token);
            }
            if (at < delivered) {
                EXPECT_TRUE(found.readable);
            }
            if (at >= kept && at < delivered) {
                EXPECT_EQ(found.pending, new_token);
            }
            if (found.readable) {
                EXPECT_TRUE(found.recovers);
            }
        }
    }
}

}  // namespace
}  // namespace keyturn
