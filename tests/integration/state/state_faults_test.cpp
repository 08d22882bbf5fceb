#include "fakes/operation_sweep.hpp"
#include "fakes/sample_state.hpp"
#include "fakes/sandbox.hpp"
#include "state/state_store.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace keyturn {
namespace {

using namespace testing_files;

/// A tunnel with batches 1 and 2 saved; 3 is about to be.
struct BeforeSave {
    explicit BeforeSave(bool current_is_damaged) {
        const Result<std::unique_ptr<StateStore>> store = make_state_store(sandbox.path());
        EXPECT_TRUE((*store)->save("web", sample_state(1)));
        EXPECT_TRUE((*store)->save("web", sample_state(2)));
        if (current_is_damaged) put(sandbox / "state/web.json", "damaged");
        acknowledged = current_is_damaged ? 1 : 2;
    }

    /// The state is the acknowledged one or the one that was being saved, and saving works again.
    void expect_state(bool saved) const {
        const Result<std::unique_ptr<StateStore>> store = make_state_store(sandbox.path());
        ASSERT_TRUE(store);
        const Result<std::optional<TunnelState>> state = (*store)->load("web");
        ASSERT_TRUE(state && *state) << (state ? "nothing" : state.error().text);
        const int batch = (*state)->rotation->batch;
        EXPECT_EQ(**state, sample_state(batch));
        EXPECT_TRUE(batch == 3 || (!saved && batch == acknowledged)) << batch;
        EXPECT_TRUE((*store)->save("web", sample_state(4)));
        EXPECT_EQ((**(*store)->load("web")).rotation->batch, 4);
    }

    Sandbox sandbox{Medium::memory};
    int acknowledged = 2;
};

/// A save, one operation of which fails; returns how many there were.
int save_with(const FaultPlan& plan) {
    const BeforeSave before(false);
    Result<std::unique_ptr<StateStore>> store = make_state_store(before.sandbox.path());
    EXPECT_TRUE((*store)->load("web"));
    arm(plan);
    const Result<void> saved = (*store)->save("web", sample_state(3));
    const int operations = disarm();
    store->reset();
    before.expect_state(saved.has_value());
    return operations;
}

TEST(StateFaults, AFailureAnywhereLeavesTheOldOrTheNewState) {
    for (const int error : {ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE, ENFILE}) {
        for (const bool for_ever : {false, true}) {
            FaultPlan plan;
            plan.error = error;
            plan.for_ever = for_ever;
            EXPECT_GT(fail_each_operation(plan, std::strerror(error), save_with), 8);
        }
    }
}

TEST(StateFaults, OneFailureOfTheDiskIsAnsweredByANewFile) {
    const BeforeSave before(false);
    Result<std::unique_ptr<StateStore>> store = make_state_store(before.sandbox.path());
    ASSERT_TRUE((*store)->load("web"));
    arm(FaultPlan{});
    ASSERT_TRUE((*store)->save("web", sample_state(3)));
    disarm();
    FaultPlan plan;
    plan.error = EIO;
    for (const std::string& word : trace()) {
        ++plan.at;
        if (word == "sync file") break;
    }
    arm(plan);
    const Result<void> saved = (*store)->save("web", sample_state(4));
    disarm();
    EXPECT_TRUE(saved);
    const std::vector<std::string> words = trace();
    int created = 0;
    for (const std::string& word : words) created += word == "create" ? 1 : 0;
    EXPECT_GE(created, 2) << "the file whose sync failed must not be used again";
}

TEST(StateFaults, ACrashBeforeAnyOperationLeavesTheOldOrTheNewState) {
    for (const bool current_is_damaged : {false, true}) {
        const int crashes = crash_before_each_operation([&](const FaultPlan& plan) {
            const BeforeSave before(current_is_damaged);
            const int status = in_child([&] {
                const Result<std::unique_ptr<StateStore>> store =
                    make_state_store(before.sandbox.path());
                arm(plan);
                ::_exit((*store)->save("web", sample_state(3)) ? 0 : 1);
            });
            EXPECT_TRUE(WIFEXITED(status));
            before.expect_state(WEXITSTATUS(status) == 0);
            return WEXITSTATUS(status);
        });
        EXPECT_GT(crashes, 15);
    }
}

}  // namespace
}  // namespace keyturn
