#include "state/state_store.hpp"

#include "fakes/file_faults.hpp"
#include "fakes/sample_state.hpp"
#include "fakes/sandbox.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

namespace keyturn {
namespace {

using namespace testing_files;

TunnelState state_of(int batch) {
    TunnelState state = sample_state();
    state.rotation->batch = batch;
    return state;
}

class StateStoreTest : public testing::Test {
  protected:
    /// A daemon that starts again.
    void restart() {
        store_.reset();
        warnings_.clear();
        Result<std::unique_ptr<StateStore>> store = make_state_store(
            sandbox_.path(), [this](const std::string& tunnel, const std::string& sentence) {
                warnings_.push_back(tunnel + ": " + sentence);
            });
        ASSERT_TRUE(store) << store.error().text;
        store_ = std::move(*store);
    }
    void SetUp() override { restart(); }

    int loaded_batch() {
        const Result<std::optional<TunnelState>> state = store_->load("web");
        return state && *state ? (*state)->rotation->batch : -1;
    }

    Sandbox sandbox_;
    std::string current_ = sandbox_ / "state/web.json";
    std::string previous_ = sandbox_ / "state/web.json.1";
    std::vector<std::string> warnings_;
    std::unique_ptr<StateStore> store_;
};

TEST_F(StateStoreTest, KnowsNothingOfATunnelThatIsNew) {
    const Result<std::optional<TunnelState>> state = store_->load("web");
    ASSERT_TRUE(state);
    EXPECT_FALSE(*state);
    EXPECT_EQ(store_->history("web", 10)->size(), 0U);
}

TEST_F(StateStoreTest, GivesBackWhatWasSavedAfterARestart) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    restart();
    const Result<std::optional<TunnelState>> state = store_->load("web");
    ASSERT_TRUE(state && *state);
    EXPECT_EQ(**state, state_of(2));
    EXPECT_TRUE(warnings_.empty());
    for (const std::string& path : {current_, previous_, sandbox_ / "lock", sandbox_ / "ballast"}) {
        EXPECT_EQ(mode_of(path), 0600U) << path;
    }
    EXPECT_EQ(mode_of(sandbox_ / "state"), 0700U);
    EXPECT_EQ(mode_of(sandbox_ / "history"), 0700U);
}

TEST_F(StateStoreTest, UsesTheFileBeforeForOneThatIsCutOff) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    const std::string whole = content_of(current_);
    for (std::size_t size = 0; size < whole.size(); size += 41) {
        put(current_, whole.substr(0, size));
        warnings_.clear();
        ASSERT_EQ(loaded_batch(), 1) << size;
        ASSERT_EQ(warnings_.size(), 1U) << size;
    }
    EXPECT_EQ(warnings_.front(), "web: " + current_ +
                                     ": the state is damaged (it is cut off or was edited); "
                                     "keyturnd uses the one before it");
}

TEST_F(StateStoreTest, UsesTheFileBeforeForOneWithAFlippedBit) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    const std::string whole = content_of(current_);
    for (std::size_t bit = 0; bit < whole.size() * 8; bit += 401) {
        std::string flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        put(current_, flipped);
        ASSERT_EQ(loaded_batch(), 1) << "bit " << bit;
    }
}

TEST_F(StateStoreTest, NeverBeginsAnewWhenBothFilesAreDamaged) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    put(current_, "");
    put(previous_, "x");
    restart();
    const Result<std::optional<TunnelState>> loaded = store_->load("web");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().fault, Fault::invalid);
    EXPECT_NE(loaded.error().text.find(current_), std::string::npos);
    const Result<void> saved = store_->save("web", state_of(3));
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().fault, Fault::invalid);
    EXPECT_EQ(content_of(current_), "");
    EXPECT_EQ(content_of(previous_), "x");
}

TEST_F(StateStoreTest, DoesNotMoveADamagedFileOverTheGoodOneBeforeIt) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    put(current_, "damaged");
    restart();
    ASSERT_TRUE(store_->save("web", state_of(3)));
    restart();
    EXPECT_EQ(loaded_batch(), 3);
    put(current_, "damaged again");
    EXPECT_EQ(loaded_batch(), 1);
}

TEST_F(StateStoreTest, TakesTheNewerOfTwoAfterARestoredBackup) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    const std::string backup = content_of(current_);
    ASSERT_TRUE(store_->save("web", state_of(2)));
    ASSERT_TRUE(store_->save("web", state_of(3)));
    put(current_, backup);
    EXPECT_EQ(loaded_batch(), 2);
    EXPECT_EQ(warnings_.size(), 1U);
    ASSERT_TRUE(store_->save("web", state_of(4)));
    EXPECT_EQ(loaded_batch(), 4);
}

TEST_F(StateStoreTest, RefusesTheStateOfANewerVersion) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    const std::string newer =
        "{\"schema\":2,\"sha256\":"
        "\"0e406cbe7f63d0549094666f7962d68945c1d06f8d5d778d7e8a7a0fa308af1a"
        "\",\"state\":{}}\n";
    put(current_, newer);
    const Result<std::optional<TunnelState>> loaded = store_->load("web");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().fault, Fault::invalid);
    EXPECT_NE(loaded.error().text.find("newer version of keyturn"), std::string::npos);
    EXPECT_FALSE(store_->save("web", state_of(3)));
    EXPECT_EQ(content_of(current_), newer);
}

TEST_F(StateStoreTest, RefusesFilesThatAreNotItsOwn) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    ASSERT_EQ(::chmod(current_.c_str(), 0666), 0);
    EXPECT_EQ(store_->load("web").error().text,
              current_ + " has the mode 0666; run `chmod 0600` on it");
    std::filesystem::remove(current_);
    std::filesystem::create_symlink(previous_, current_);
    EXPECT_EQ(store_->load("web").error().fault, Fault::invalid);
    EXPECT_EQ(store_->load("../web").error().fault, Fault::invalid);
    EXPECT_EQ(store_->save("a/b", state_of(1)).error().fault, Fault::invalid);
}

TEST_F(StateStoreTest, RefusesAStateDirectoryThatIsMissingOrOpen) {
    EXPECT_EQ(make_state_store("/nowhere/at/all").error().fault, Fault::missing);
    const Sandbox open;
    ASSERT_EQ(::chmod(open.path().c_str(), 0777), 0);
    EXPECT_EQ(make_state_store(open.path()).error().fault, Fault::invalid);
}

TEST_F(StateStoreTest, SweepsTemporaryFilesAtItsStart) {
    put(sandbox_ / "state/.web.json.keyturn-0123abcd.tmp", "half");
    put(sandbox_ / "history/.web.jsonl.keyturn-0123abcd.tmp", "half");
    put(sandbox_ / "state/notes.tmp", "somebody's");
    restart();
    EXPECT_EQ(count_files(sandbox_ / "state"), 1U);
    EXPECT_EQ(count_files(sandbox_ / "history"), 0U);
}

TEST_F(StateStoreTest, KeepsAHistory) {
    for (const char* id : {"a", "b", "c"}) {
        ASSERT_TRUE(store_->append_history("web", sample_entry(id)));
    }
    restart();
    const Result<std::vector<HistoryEntry>> newest = store_->history("web", 2);
    ASSERT_TRUE(newest);
    EXPECT_EQ(*newest, (std::vector<HistoryEntry>{sample_entry("b"), sample_entry("c")}));
    const std::string text = content_of(sandbox_ / "history/web.jsonl");
    put(sandbox_ / "history/web.jsonl", text.substr(0, text.size() - 10));
    EXPECT_EQ(store_->history("web", 10)->size(), 2U);
    ASSERT_TRUE(store_->append_history("web", sample_entry("d")));
    EXPECT_EQ(store_->history("web", 10)->back(), sample_entry("d"));
    EXPECT_EQ(store_->history("web", 10)->size(), 3U);
}

TEST_F(StateStoreTest, DropsTheBallastOnAFullDiskAndMakesItAgainLater) {
    const std::string ballast = sandbox_ / "ballast";
    EXPECT_EQ(std::filesystem::file_size(ballast), 1024U * 1024U);
    ASSERT_TRUE(store_->save("web", state_of(1)));
    FaultPlan full;
    full.full_while = ballast;
    arm(full);
    const Result<void> saved = store_->save("web", state_of(2));
    disarm();
    EXPECT_TRUE(saved) << saved.error().text;
    EXPECT_FALSE(std::filesystem::exists(ballast));
    EXPECT_EQ(loaded_batch(), 2);
    ASSERT_TRUE(store_->save("web", state_of(3)));
    EXPECT_TRUE(std::filesystem::exists(ballast));
    arm(full);
    const Result<void> appended = store_->append_history("web", sample_entry("a"));
    disarm();
    EXPECT_TRUE(appended);
    EXPECT_EQ(store_->history("web", 1)->size(), 1U);
}

TEST_F(StateStoreTest, SaysThatTheDiskIsFullWhenTheBallastWasNotEnough) {
    FaultPlan full;
    full.full_while = sandbox_.path();
    arm(full);
    const Result<void> saved = store_->save("web", state_of(1));
    disarm();
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().fault, Fault::storage);
    EXPECT_NE(saved.error().text.find("No space left on device"), std::string::npos);
    EXPECT_TRUE(store_->save("web", state_of(1)));
    EXPECT_EQ(loaded_batch(), 1);
}

TEST_F(StateStoreTest, GoesOnWithoutABallastThatCannotBeFilled) {
    const std::string ballast = sandbox_ / "ballast";
    store_.reset();
    bool made = false;
    for (int at = 1; at < 40 && !made; ++at) {
        std::filesystem::remove(ballast);
        FaultPlan plan;
        plan.at = at;
        plan.error = ENOSPC;
        arm(plan);
        const auto store = make_state_store(sandbox_.path());
        made = disarm() < at;
        if (store && std::filesystem::exists(ballast)) {
            EXPECT_EQ(std::filesystem::file_size(ballast), std::uintmax_t{1024} * 1024) << at;
        }
    }
    EXPECT_TRUE(made) << "every operation of a start has failed once";
}

TEST_F(StateStoreTest, MakesABallastOfAWrongSizeAnew) {
    const std::string ballast = sandbox_ / "ballast";
    std::filesystem::resize_file(ballast, 7);
    restart();
    EXPECT_EQ(std::filesystem::file_size(ballast), std::uintmax_t{1024} * 1024);
}

TEST_F(StateStoreTest, ListsTheTunnelsThatItKnows) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    ASSERT_TRUE(store_->save("api", state_of(1)));
    EXPECT_EQ(*store_->tunnels(), (std::vector<std::string>{"api", "web"}));
    std::filesystem::rename(sandbox_ / "state", sandbox_ / "elsewhere");
    EXPECT_FALSE(store_->tunnels());
    std::filesystem::rename(sandbox_ / "elsewhere", sandbox_ / "state");
    EXPECT_TRUE(store_->tunnels());
}

/// The store reads the older file only if the newer one is damaged.
TEST_F(StateStoreTest, NeedsNoFileBeforeForOneThatIsWhole) {
    ASSERT_TRUE(store_->save("web", state_of(1)));
    ASSERT_TRUE(store_->save("web", state_of(2)));
    std::filesystem::remove(previous_);
    std::filesystem::create_directory(previous_);
    restart();
    EXPECT_EQ(loaded_batch(), 2);
    std::filesystem::resize_file(current_, 7);
    restart();
    EXPECT_FALSE(store_->load("web"));
}

TEST_F(StateStoreTest, KeepsTwoEndsOfOneRotationApart) {
    HistoryEntry entry = sample_entry("a");
    ASSERT_TRUE(store_->append_history("web", entry));
    ASSERT_TRUE(store_->append_history("web", entry));
    entry.outcome = Outcome::reverted;
    ASSERT_TRUE(store_->append_history("web", entry));
    EXPECT_EQ(store_->history("web", 10)->size(), 2U);
}

}  // namespace
}  // namespace keyturn
