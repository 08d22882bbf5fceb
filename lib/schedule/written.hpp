#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace keyturn {

/// A word that stands for a whole expression.
struct ShortForm {
    std::string_view word;
    std::string_view expression;
};

/// How many bytes of an expression a message repeats. Longer text could be something pasted by
/// mistake.
inline constexpr std::size_t written_size_max = 11;

/// " `60`": the wrong piece of an expression, up to the first blank, for a message that more people
/// may read than the policy. Returns `otherwise` if the piece is long or contains anything unusual.
[[nodiscard]] inline std::string written(std::string_view piece, std::string_view otherwise = {}) {
    piece = piece.substr(0, piece.find(' '));
    const bool plain = std::ranges::all_of(
        piece, [](char c) { return c > ' ' && c < 0x7f && c != '`' && c != '\\'; });
    if (!plain || piece.empty() || piece.size() > written_size_max) return std::string{otherwise};
    const std::string space = otherwise.empty() || otherwise.starts_with(' ') ? " " : "";
    return space + "`" + std::string{piece} + "`";
}

}  // namespace keyturn
