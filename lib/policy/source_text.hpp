#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace keyturn {

/// A place in a file, line and column from 1; `column` counts bytes, as yaml-cpp does. `file` is 0
/// for the policy and counts its drop-ins from 1.
struct Place {
    int line = 0;
    int column = 0;
    int file = 0;

    bool operator==(const Place&) const = default;
    std::strong_ordering operator<=>(const Place& other) const {
        return std::tie(file, line, column) <=> std::tie(other.file, other.line, other.column);
    }
};

/// A sentence about a place.
struct Remark {
    Place place;
    std::string text;

    auto operator<=>(const Remark&) const = default;
};

inline constexpr std::size_t policy_bytes_max = 1024 * 1024;
inline constexpr std::size_t policy_line_bytes_max = 1000;

/// What makes a text unfit for YAML before anything parses it: it is no UTF-8, holds control
/// characters, an overlong line, or a tab where indentation should be. yaml-cpp accepts the first
/// two and misplaces the last.
[[nodiscard]] std::vector<Remark> find_unfit_text(std::string_view text);

/// How many bytes from the front of `line` are text: UTF-8 without control characters but tabs.
[[nodiscard]] std::size_t sound_size(std::string_view line);

/// Every byte of a control character, tabs too, replaced by a question mark.
[[nodiscard]] std::string without_controls(std::string_view text);

/// The lines without their ends (LF or CR LF). They refer to `text`.
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);

/// True for what is most likely a token or a key that somebody pasted: long, and as mixed as only
/// random characters are, or the beginning of base64 JSON.
[[nodiscard]] bool looks_like_secret(std::string_view word);

/// Every word that looks like a secret replaced by as many stars.
[[nodiscard]] std::string with_secrets_starred(std::string_view text);

/// The number of characters in UTF-8 `text`.
[[nodiscard]] std::size_t count_characters(std::string_view text);

/// The largest size up to `size` that does not cut a UTF-8 character.
[[nodiscard]] std::size_t whole_characters(std::string_view text, std::size_t size);

}  // namespace keyturn
