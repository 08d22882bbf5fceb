#pragma once

#include "doctor/finding.hpp"
#include "doctor/ignored.hpp"

#include <string>
#include <vector>

namespace keyturn {

struct HostFacts;

/// What the operator asked for.
struct Question {
    std::vector<std::string> only;   ///< Ids of checks; empty: all.
    std::vector<std::string> units;  ///< Leaves out what is about other units; empty: all.
    std::vector<IgnoredCheck> ignored;
};

/// A finding that is reported.
struct Reported {
    const Check* check = nullptr;
    Finding finding;
    const IgnoredCheck* ignored = nullptr;  ///< Refers to the question.
};

struct Examination {
    std::vector<Reported> findings;
    std::size_t checks = 0;  ///< How many checks were made.

    /// True if something fails that is not ignored.
    [[nodiscard]] bool failed() const;
};

/// Makes all checks and leaves out what another finding explains. Pure.
[[nodiscard]] Examination examine(const HostFacts& facts, const Question& question);

}  // namespace keyturn
