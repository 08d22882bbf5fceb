#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace keyturn {

/// How much of an expression a message repeats: more could be something that was pasted there.
inline constexpr std::size_t written_size_max = 11;

/// " `60`": the piece of an expression that is wrong, up to the first blank, for a message that
/// more people may read than the policy; `otherwise` where it is long or holds anything unusual.
[[nodiscard]] inline std::string written(std::string_view piece, std::string_view otherwise = {}) {
    piece = piece.substr(0, piece.find(' '));
    const bool plain = std::ranges::all_of(
        piece, [](char c) { return c > ' ' && c < 0x7f && c != '`' && c != '\\'; });
    if (!plain || piece.empty() || piece.size() > written_size_max) return std::string{otherwise};
    const std::string space = otherwise.empty() || otherwise.starts_with(' ') ? " " : "";
    return space + "`" + std::string{piece} + "`";
}

}  // namespace keyturn
