#include "fakes/file_faults.hpp"
#include "fakes/token_files.hpp"
#include "files/atomic_file.hpp"
#include "files/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace testing_files;
using testing::ElementsAre;

// What survives a power cut is decided by the order of these calls (lib/files/README.md): data is
// synced before the name shows it, and the name before anybody is told of success.

TEST(Order, AFileIsReplacedByTheBook) {
    const Sandbox sandbox;
    const Result<Directory> directory = Directory::open(sandbox.path());
    ASSERT_TRUE(directory);
    arm(FaultPlan{});
    ASSERT_TRUE(replace_file(*directory, "web", "content"));
    disarm();
    EXPECT_THAT(trace(),
                ElementsAre("create", "mode", "write", "sync file", "rename", "sync directory"));
}

TEST(Order, ThePreviousContentIsPutAsideAfterTheNewOneIsOnTheDisk) {
    const Sandbox sandbox;
    const Result<Directory> directory = Directory::open(sandbox.path());
    ASSERT_TRUE(directory);
    ASSERT_TRUE(replace_file(*directory, "web", "old"));
    Result<AtomicFile> file = AtomicFile::create(*directory, "web", "new");
    ASSERT_TRUE(file);
    arm(FaultPlan{});
    ASSERT_TRUE(file->commit("web", "web.1"));
    disarm();
    EXPECT_THAT(trace(), ElementsAre("sync file", "rename", "rename", "sync directory"));
    EXPECT_EQ(content_of(sandbox / "web"), "new");
    EXPECT_EQ(content_of(sandbox / "web.1"), "old");
}

TEST(Order, ASwapIsARenameAndASyncAndReadsNoSecret) {
    const BeforeRotation before;
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    ASSERT_TRUE(store->stage("web", rotation_id, Secret::copy_of(new_token)));
    arm(FaultPlan{});
    ASSERT_TRUE(store->swap_in("web", rotation_id));
    disarm();
    EXPECT_THAT(trace(), ElementsAre("look", "look",  // the directories
                                     "examine", "examine", "rename", "sync directory"));
}

TEST(Order, ASecretIsOverwrittenBeforeItIsRemoved) {
    const BeforeRotation before;
    const std::unique_ptr<TokenStore> store = make_token_store(before.sandbox.path());
    ASSERT_TRUE(store->keep_pending("web", pending_tokens()));
    arm(FaultPlan{});
    ASSERT_TRUE(store->forget_pending("web"));
    disarm();
    EXPECT_THAT(trace(), ElementsAre("look", "look", "open", "examine", "write", "sync file",
                                     "unlink", "sync directory"));
}

TEST(Order, TheBytesOfASecretAreGoneFromItsFile) {
    const Sandbox sandbox;
    const Result<Directory> directory = Directory::open(sandbox.path());
    ASSERT_TRUE(directory);
    ASSERT_TRUE(replace_file(*directory, "web", std::string(10'000, 'x')));
    // Held open, the file can still be read after its name is gone.
    std::ifstream open_file(sandbox / "web", std::ios::binary);
    ASSERT_TRUE(erase_file(*directory, "web"));
    EXPECT_EQ(content_of(sandbox / "web"), "(no file)");
    std::ostringstream left;
    left << open_file.rdbuf();
    EXPECT_EQ(left.str(), std::string(10'000, '\0'));
}

TEST(Order, AFailedSyncIsNotAskedForAgainOnTheSameFile) {
    const Sandbox sandbox;
    const Result<Directory> directory = Directory::open(sandbox.path());
    ASSERT_TRUE(directory);
    FaultPlan plan;
    plan.at = 4;
    plan.error = EIO;
    arm(plan);
    const Result<void> replaced = replace_file(*directory, "web", "content");
    disarm();
    ASSERT_FALSE(replaced);
    EXPECT_THAT(trace(), ElementsAre("create", "mode", "write", "sync file", "unlink"));
    EXPECT_EQ(count_files(sandbox.path()), 0U);
}

}  // namespace
}  // namespace keyturn
