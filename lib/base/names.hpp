#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace keyturn {

template <class Value, std::size_t size>
using Names = std::array<std::pair<Value, std::string_view>, size>;

/// The table of the words for an enum's values, specialised beside the enum. The words are used on
/// the disk, on the bus, in the policy and in texts.
template <class Value>
inline constexpr auto names = nullptr;

template <class Value>
concept Named = !std::is_null_pointer_v<std::remove_cv_t<decltype(names<Value>)>>;

template <Named Value>
[[nodiscard]] constexpr std::string_view name_of(Value value) {
    for (const auto& [each, name] : names<Value>) {
        if (each == value) return name;
    }
    return {};
}

/// The value for a word; nothing for an unknown word.
template <Named Value>
[[nodiscard]] constexpr std::optional<Value> value_named(std::string_view name) {
    for (const auto& [value, each] : names<Value>) {
        if (each == name) return value;
    }
    return std::nullopt;
}

/// All words of an enum, in the order of its table.
template <Named Value>
[[nodiscard]] std::vector<std::string_view> words_of() {
    std::vector<std::string_view> words;
    for (const auto& [value, name] : names<Value>) words.push_back(name);
    return words;
}

}  // namespace keyturn
