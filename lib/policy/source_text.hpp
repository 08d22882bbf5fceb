#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace keyturn {

/// A place in a file. `line` and `column` count from 1; `column` counts bytes, as yaml-cpp does.
/// `file` is 0 for the policy; its drop-ins count from 1.
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

/// Limits of keyturn's own, in bytes, far above any real policy.
inline constexpr std::size_t policy_bytes_max = 1024 * 1024;
inline constexpr std::size_t policy_line_bytes_max = 1000;

/// Finds what makes a text unfit for YAML before anything parses it: invalid UTF-8, control
/// characters, an overlong line, or a tab in the indentation. yaml-cpp accepts the first two and
/// reports the last in the wrong place.
[[nodiscard]] std::vector<Remark> find_unfit_text(std::string_view text);

/// How many bytes at the front of `line` are clean text: UTF-8 with no control characters but tabs.
[[nodiscard]] std::size_t sound_size(std::string_view line);

/// Replaces every byte of a control character, including tabs, with a question mark.
[[nodiscard]] std::string without_controls(std::string_view text);

/// Splits a text into lines without their ends (LF or CR LF). The lines refer to `text`.
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);

/// True if a word is most likely a pasted token or key: long and as mixed as only random characters
/// are, or the beginning of base64 JSON.
[[nodiscard]] bool looks_like_secret(std::string_view word);

/// Replaces every word that looks like a secret with as many stars.
[[nodiscard]] std::string with_secrets_starred(std::string_view text);

/// The number of characters in UTF-8 `text`.
[[nodiscard]] std::size_t count_characters(std::string_view text);

/// The largest size up to `size` that does not cut a UTF-8 character in two.
[[nodiscard]] std::size_t whole_characters(std::string_view text, std::size_t size);

}  // namespace keyturn
