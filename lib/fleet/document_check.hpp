#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn {

/// What texts in the object may be: at most 1024 bytes, and nothing that moves a cursor or looks
/// like another text. Names and texts come from many hosts and are shown on each of them.
struct FleetTexts {
    /// The text with "?" in place of each character that is not allowed, cut off if it is too long.
    [[nodiscard]] static std::string written(const std::string& text);
    [[nodiscard]] static bool accepts(const std::string& text);
};

/// True for this number of lower-case hex digits.
[[nodiscard]] bool is_hex_id(std::string_view text, std::size_t digits);

/// Checks names, ids and counters, which have a form of their own. Fails with `invalid` and names
/// the member.
[[nodiscard]] Result<void> check_names(const FleetDocument& document);

inline constexpr std::size_t install_digits = 32;
inline constexpr std::size_t fleet_digits = 32;
inline constexpr std::size_t mark_digits = 16;

/// More than any counter reaches, and low enough that counting on never overflows.
inline constexpr std::uint64_t counter_max = 1'000'000'000'000'000;

}  // namespace keyturn
