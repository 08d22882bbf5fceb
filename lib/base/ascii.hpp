#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace keyturn {

// Characters and words in the sense of protocols and file formats, whatever the locale. No byte
// beyond ASCII is a digit or a letter.

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool is_letter(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}

[[nodiscard]] constexpr bool is_alphanumeric(char c) {
    return is_digit(c) || is_letter(c);
}

[[nodiscard]] constexpr bool is_lower_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

[[nodiscard]] constexpr bool is_hex(char c) {
    return is_lower_hex(lower(c));
}

/// True for letters, digits and these marks alone.
[[nodiscard]] inline bool consists_of(std::string_view text, std::string_view marks) {
    return std::ranges::all_of(text, [marks](char c) {
        return is_alphanumeric(c) || marks.find(c) != std::string_view::npos;
    });
}

[[nodiscard]] inline bool is_uuid(std::string_view text) {
    constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return std::ranges::equal(
        text, shape, [](char c, char wanted) { return wanted == 'x' ? is_hex(c) : c == wanted; });
}

[[nodiscard]] inline std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result) c = lower(c);
    return result;
}

/// The parts of a text between the separators. There is one more than separators.
[[nodiscard]] inline std::vector<std::string_view> split(std::string_view text,
                                                         std::string_view any_of) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find_first_of(any_of);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

/// The number that the whole text is, in decimal; nothing for any other text and if it is out of
/// range. Only a signed type has a sign, and only "-".
template <class Number>
[[nodiscard]] std::optional<Number> to_number(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && stop == end ? std::optional{number} : std::nullopt;
}

}  // namespace keyturn
