#include "fakes/operation_sweep.hpp"
#include "fakes/sandbox.hpp"
#include "fleet/memory.hpp"
#include "integration/fleet/sample_memories.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace keyturn {
namespace {

using namespace testing_files;

/// A host that has joined (its memories are saved at version 1), or one that is about to.
struct BeforeSave {
    explicit BeforeSave(bool has_joined) : joined(has_joined) {
        if (!joined) return;
        EXPECT_TRUE(make_fleet_memory(sandbox.path())->save("web", sample_memories(1)));
    }

    /// The memories are the old ones or the new ones, and saving works again.
    void expect_old_or_new(bool saved) const {
        const auto memory = make_fleet_memory(sandbox.path());
        const auto loaded = memory->load("web");
        ASSERT_TRUE(loaded) << loaded.error().text;
        const bool is_new = *loaded == sample_memories(2);
        const bool is_old = joined ? *loaded == sample_memories(1) : !loaded->has_value();
        EXPECT_TRUE(is_new || (!saved && is_old));
        EXPECT_TRUE(memory->save("web", sample_memories(3)));
        EXPECT_EQ(**memory->load("web"), sample_memories(3));
        EXPECT_EQ(count_files(sandbox / "fleet"), 1U);
    }

    Sandbox sandbox{Medium::memory};
    bool joined;
};

TEST(FleetMemoryFaults, AFailureAnywhereLeavesTheOldOrTheNewMemories) {
    for (const bool joined : {true, false}) {
        for (const int error : {ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE, ENFILE}) {
            for (const bool for_ever : {false, true}) {
                FaultPlan plan;
                plan.error = error;
                plan.for_ever = for_ever;
                const auto save_with = [&](const FaultPlan& armed) {
                    const BeforeSave before(joined);
                    const auto memory = make_fleet_memory(before.sandbox.path());
                    arm(armed);
                    const Result<void> saved = memory->save("web", sample_memories(2));
                    const int operations = disarm();
                    before.expect_old_or_new(saved.has_value());
                    return operations;
                };
                EXPECT_GT(fail_each_operation(plan, std::strerror(error), save_with), 8);
            }
        }
    }
}

TEST(FleetMemoryFaults, AFailureToReadIsNeverTakenForAHostThatHasNotJoined) {
    for (const int error : {EIO, EACCES, EMFILE}) {
        FaultPlan plan;
        plan.error = error;
        plan.for_ever = true;
        const auto load_with = [](const FaultPlan& armed) {
            const BeforeSave before(true);
            const auto memory = make_fleet_memory(before.sandbox.path());
            arm(armed);
            const auto loaded = memory->load("web");
            const int operations = disarm();
            EXPECT_TRUE(!loaded || loaded->has_value());
            return operations;
        };
        EXPECT_GT(fail_each_operation(plan, std::strerror(error), load_with), 3);
    }
}

TEST(FleetMemoryFaults, ACrashBeforeAnyOperationLeavesTheOldOrTheNewMemories) {
    for (const bool joined : {true, false}) {
        const int crashes = crash_before_each_operation([&](const FaultPlan& plan) {
            const BeforeSave before(joined);
            const int status = in_child([&] {
                const auto memory = make_fleet_memory(before.sandbox.path());
                arm(plan);
                ::_exit(memory->save("web", sample_memories(2)) ? 0 : 1);
            });
            EXPECT_TRUE(WIFEXITED(status));
            before.expect_old_or_new(WEXITSTATUS(status) == 0);
            return WEXITSTATUS(status);
        });
        EXPECT_GT(crashes, 8);
    }
}

}  // namespace
}  // namespace keyturn
