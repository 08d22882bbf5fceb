#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

struct HostFacts;

enum class Severity {
    note,  ///< Worth knowing; no action is needed.
    warn,  ///< Works now, and makes trouble some day.
    fail,  ///< Keeps keyturnd from rotating, or a connector from serving.
};

[[nodiscard]] std::string_view name_of(Severity severity);

/// One thing that a check found.
struct Finding {
    /// What it is about, the narrowest first: a unit, its tunnel. Empty for the host as a whole.
    std::vector<std::string> about;
    std::string seen;  ///< What was seen, and why it matters: sentences without the last full stop.
    std::string remedy;  ///< One command to paste.

    bool operator==(const Finding&) const = default;
};

/// One question about a host. Its function is pure.
struct Check {
    static constexpr std::size_t causes_max = 12;

    std::string_view id;  ///< Stable: programs and the manual use it.
    Severity severity = Severity::fail;
    std::string_view title;
    std::vector<Finding> (*look)(const HostFacts&) = nullptr;
    /// Checks whose findings explain this one. A finding is left out if one of them found something
    /// about the host as a whole, or about the same unit or tunnel. `any_failure` stands for all
    /// other checks that fail.
    std::array<std::string_view, causes_max> causes{};
};

/// See `Check::causes`.
inline constexpr std::string_view any_failure = "*";

/// All checks, in the order in which they are shown.
[[nodiscard]] std::span<const Check> all_checks();

/// The check with this id; null if there is none.
[[nodiscard]] const Check* find_check(std::string_view id);

}  // namespace keyturn
