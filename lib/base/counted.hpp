#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace keyturn {

/// "1 unit", "2 units", "0 batches": a number with the word for what was counted. Pure.
template <std::integral Count>
[[nodiscard]] std::string counted(Count count, std::string_view one, std::string_view many) {
    return std::to_string(count).append(" ").append(count == 1 ? one : many);
}

/// For a word to which an "s" is added. Pure.
template <std::integral Count>
[[nodiscard]] std::string counted(Count count, std::string_view one) {
    return counted(count, one, std::string(one) + "s");
}

}  // namespace keyturn
