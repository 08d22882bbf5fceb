#pragma once

#include "fakes/file_faults.hpp"

#include <gtest/gtest.h>

// The same test at each file operation, however many there are.

namespace keyturn::testing_files {

/// Makes the n-th operation of `attempt` fail as planned, for each n. `attempt` arms the plan and
/// returns how many operations there were; this returns that number once n is above it.
template <class Attempt>
int fail_each_operation(FaultPlan plan, const std::string& name, const Attempt& attempt) {
    for (plan.at = 1;; ++plan.at) {
        SCOPED_TRACE(testing::Message() << name << " at operation " << plan.at);
        const int operations = attempt(plan);
        if (operations < plan.at || testing::Test::HasFailure()) return operations;
    }
}

/// Lets `attempt` crash before its n-th operation, for each n, until it comes through; returns how
/// often it crashed. `attempt` arms the plan in a child and returns the exit status of that.
template <class Attempt>
int crash_before_each_operation(const Attempt& attempt) {
    FaultPlan plan;
    plan.crash = true;
    for (plan.at = 1;; ++plan.at) {
        SCOPED_TRACE(testing::Message() << "crash before operation " << plan.at);
        const int status = attempt(plan);
        const int crashes = plan.at - 1;
        if (status == 0) return crashes;
        EXPECT_EQ(status, crash_status);
        if (testing::Test::HasFailure()) return crashes;
    }
}

}  // namespace keyturn::testing_files
