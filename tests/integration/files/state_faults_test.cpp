#include "integration/files/file_faults.hpp"
#include "integration/files/sandbox.hpp"
#include "state/state_store.hpp"
#include "unit/state/sample.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace keyturn {
namespace {

using namespace testing_files;

TunnelState state_of(int batch) {
    TunnelState state = sample_state();
    state.rotation->batch = batch;
    return state;
}

/// A tunnel with batches 1 and 2 saved; 3 is about to be.
struct BeforeSave {
    explicit BeforeSave(bool current_is_damaged) {
        const Result<std::unique_ptr<StateStore>> store = make_state_store(sandbox.path());
        EXPECT_TRUE((*store)->save("web", state_of(1)));
        EXPECT_TRUE((*store)->save("web", state_of(2)));
        if (current_is_damaged) put(sandbox / "state/web.json", "damaged");
        acknowledged = current_is_damaged ? 1 : 2;
    }

    /// After whatever has happened: what was acknowledged or what was being saved, and it goes on.
    void expect_state(bool saved, const std::string& what) const {
        const Result<std::unique_ptr<StateStore>> store = make_state_store(sandbox.path());
        ASSERT_TRUE(store) << what;
        const Result<std::optional<TunnelState>> state = (*store)->load("web");
        ASSERT_TRUE(state && *state) << what << ": " << (state ? "nothing" : state.error().text);
        const int batch = (*state)->rotation->batch;
        EXPECT_EQ(**state, state_of(batch)) << what;
        EXPECT_TRUE(batch == 3 || (!saved && batch == acknowledged)) << what << ": " << batch;
        EXPECT_TRUE((*store)->save("web", state_of(4))) << what;
        EXPECT_EQ((**(*store)->load("web")).rotation->batch, 4) << what;
    }

    Sandbox sandbox{Medium::memory};
    int acknowledged = 2;
};

/// Makes the n-th file operation of a save fail, for each n; returns how many there are.
int sweep_over(FaultPlan plan, const std::string& name) {
    for (int at = 1;; ++at) {
        const BeforeSave before(false);
        Result<std::unique_ptr<StateStore>> store = make_state_store(before.sandbox.path());
        EXPECT_TRUE((*store)->load("web"));
        plan.at = at;
        arm(plan);
        const Result<void> saved = (*store)->save("web", state_of(3));
        const int operations = disarm();
        store->reset();
        before.expect_state(saved.has_value(), name + " at operation " + std::to_string(at));
        if (operations < at || testing::Test::HasFailure()) return operations;
    }
}

TEST(StateFaults, AFailureAnywhereLeavesTheOldOrTheNewState) {
    for (const int error : {ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE, ENFILE}) {
        FaultPlan plan;
        plan.error = error;
        EXPECT_GT(sweep_over(plan, std::string("once ") + std::strerror(error)), 10);
        plan.for_ever = true;
        EXPECT_GT(sweep_over(plan, std::string("for ever ") + std::strerror(error)), 10);
    }
}

TEST(StateFaults, OneFailureOfTheDiskIsAnsweredByANewFile) {
    const BeforeSave before(false);
    Result<std::unique_ptr<StateStore>> store = make_state_store(before.sandbox.path());
    ASSERT_TRUE((*store)->load("web"));
    arm(FaultPlan{});
    ASSERT_TRUE((*store)->save("web", state_of(3)));
    disarm();
    FaultPlan plan;
    plan.error = EIO;
    for (const std::string& word : trace()) {
        ++plan.at;
        if (word == "sync file") break;
    }
    arm(plan);
    const Result<void> saved = (*store)->save("web", state_of(4));
    disarm();
    EXPECT_TRUE(saved);
    const std::vector<std::string> words = trace();
    int created = 0;
    for (const std::string& word : words) created += word == "create" ? 1 : 0;
    EXPECT_GE(created, 2) << "the file whose sync failed must not be used again";
}

TEST(StateFaults, ACrashBeforeAnyOperationLeavesTheOldOrTheNewState) {
    for (const bool current_is_damaged : {false, true}) {
        FaultPlan plan;
        plan.crash = true;
        int crashes = 0;
        for (plan.at = 1;; ++plan.at) {
            const BeforeSave before(current_is_damaged);
            const int status = in_child([&] {
                const Result<std::unique_ptr<StateStore>> store =
                    make_state_store(before.sandbox.path());
                arm(plan);
                ::_exit((*store)->save("web", state_of(3)) ? 0 : 1);
            });
            ASSERT_TRUE(WIFEXITED(status));
            const bool saved = WEXITSTATUS(status) == 0;
            before.expect_state(saved, "crash before operation " + std::to_string(plan.at));
            if (saved) break;
            ASSERT_EQ(WEXITSTATUS(status), crash_status);
            ++crashes;
        }
        EXPECT_GT(crashes, 15);
    }
}

}  // namespace
}  // namespace keyturn
