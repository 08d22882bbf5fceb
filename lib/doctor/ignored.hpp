#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// A check that the operator decided to live with.
struct IgnoredCheck {
    std::string id;
    std::string since;  ///< "2026-11-29".
    std::string why;    ///< One line.

    bool operator==(const IgnoredCheck&) const = default;
};

/// Reads the file of ignored checks: a line "ID DATE WHY" each. Skips comments and lines that it
/// does not understand. Pure.
[[nodiscard]] std::vector<IgnoredCheck> parse_ignored(std::string_view text);

/// The text of that file. Pure.
[[nodiscard]] std::string ignored_text(const std::vector<IgnoredCheck>& ignored);

}  // namespace keyturn
