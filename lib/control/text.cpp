#include "control/text.hpp"

#include <algorithm>
#include <cstddef>

namespace keyturn {
namespace {

struct Range {
    unsigned char low;
    unsigned char high;
};

/// How many bytes follow a first byte, and what the first of them may be (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
struct Sequence {
    std::size_t length = 0;  ///< Zero: no valid first byte.
    Range second{0x80, 0xBF};
};

Sequence sequence_of(unsigned char first) {
    if (first >= 0x01 && first < 0x80) return {1, {}};
    if (first >= 0xC2 && first <= 0xDF) return {2, {0x80, 0xBF}};
    if (first == 0xE0) return {3, {0xA0, 0xBF}};
    if (first == 0xED) return {3, {0x80, 0x9F}};
    if (first >= 0xE1 && first <= 0xEF) return {3, {0x80, 0xBF}};
    if (first == 0xF0) return {4, {0x90, 0xBF}};
    if (first >= 0xF1 && first <= 0xF3) return {4, {0x80, 0xBF}};
    if (first == 0xF4) return {4, {0x80, 0x8F}};
    return {};
}

bool within(char byte, Range range) {
    const auto value = static_cast<unsigned char>(byte);
    return value >= range.low && value <= range.high;
}

/// The length of the valid character at the start of `text`, zero when there is none.
std::size_t character_length(std::string_view text) {
    const Sequence sequence = sequence_of(static_cast<unsigned char>(text.front()));
    if (sequence.length <= 1) return sequence.length;
    if (text.size() < sequence.length || !within(text[1], sequence.second)) return 0;
    const std::string_view rest = text.substr(2, sequence.length - 2);
    const bool whole = std::all_of(rest.begin(), rest.end(), [](char byte) {
        return within(byte, {0x80, 0xBF});
    });
    return whole ? sequence.length : 0;
}

}  // namespace

std::string bus_text(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        if (length == 0) {
            valid += '?';
        } else {
            valid += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return valid;
}

bool is_one_line(std::string_view text) {
    for (std::size_t index = 0; index < text.size(); ++index) {
        const auto byte = static_cast<unsigned char>(text[index]);
        if (byte < 0x20 || byte == 0x7F) return false;
        // U+0080 to U+009F: the control characters beyond ASCII.
        const bool after_c2 = index > 0 && static_cast<unsigned char>(text[index - 1]) == 0xC2;
        if (after_c2 && byte <= 0x9F) return false;
    }
    return true;
}

}  // namespace keyturn
