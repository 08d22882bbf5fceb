#pragma once

#include "base/invariant.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What the targets have in common. A broken property is an `invariant`: it says its sentence and
// aborts, which libFuzzer and replay.cpp both take for a failure.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace keyturn::fuzz {

/// A tunnel token of nobody: what looks most like the secrets that people and servers spill.
inline constexpr std::string_view planted_token =
    "eyJhIjoiNjk5ZDk4NjQyYzU2NGQyZTg1NWU5NjYxODk5YjcyNTIiLCJzIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9EeEFS"
    "RWhNVUZSWVhHQmthR3h3ZEhoOD0iLCJ0IjoiZjcwZmY5ODUtYTRlZi00NjQzLWJiYmMtNGEwZWQ0ZmM4NDE1In0=";

/// A secret without any mark of what it is.
inline constexpr std::string_view planted_secret = "Kt9xQ2vB7nLm4RsW8yZd3FgH6jPc1TaU5eNoXi0k";

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Takes the first line off `text`, without its end.
[[nodiscard]] inline std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

/// True when `text` holds as much of a planted secret as would be of use to anybody.
[[nodiscard]] inline bool tells_secret(std::string_view text) {
    constexpr std::size_t piece = 12;
    for (const std::string_view planted : {planted_token, planted_secret}) {
        for (std::size_t at = 0; at + piece <= planted.size(); ++at) {
            if (text.find(planted.substr(at, piece)) != std::string_view::npos) return true;
        }
    }
    return false;
}

/// `text` with the token in place of each "@T@" and the other secret in place of each "@S@".
/// Nothing of a text that holds a piece of them by itself: libFuzzer writes down what it sees
/// compared.
[[nodiscard]] inline std::string with_secrets(std::string_view text) {
    if (tells_secret(text)) return {};
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string_view mark = text.substr(at, 3);
        if (mark == "@T@" || mark == "@S@") {
            result += mark == "@T@" ? planted_token : planted_secret;
            at += 2;
        } else {
            result += text[at];
        }
    }
    return result;
}

[[nodiscard]] inline bool is_printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
}

/// No control character, those of the second block ("C1", in UTF-8) included: fit for a terminal.
[[nodiscard]] inline bool is_one_line(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < ' ' || byte == 0x7f) return false;
        const auto next = static_cast<unsigned char>(at + 1 < text.size() ? text[at + 1] : '\0');
        if (byte == 0xc2 && next >= 0x80 && next < 0xa0) return false;
    }
    return true;
}

}  // namespace keyturn::fuzz
