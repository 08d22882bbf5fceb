#include "base/visible_text.hpp"

#include <algorithm>
#include <array>

namespace keyturn {
namespace {

struct ByteRange {
    unsigned char low;
    unsigned char high;
};

/// How long a sequence is for a first byte, and which second bytes are allowed (RFC 3629: no
/// overlong forms, no surrogates, nothing above U+10FFFF).
struct Sequence {
    std::size_t length = 0;  ///< In bytes; zero for an invalid first byte.
    ByteRange second{0x80, 0xBF};
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

bool within(char byte, ByteRange range) {
    const auto value = static_cast<unsigned char>(byte);
    return value >= range.low && value <= range.high;
}

struct CodeRange {
    char32_t first;
    char32_t last;
};

/// In ascending order. From Unicode 15: Cc, Zl, Zp, Cf except the few with a shape (Arabic number
/// signs, U+06DD and the like), and Default_Ignorable_Code_Point.
constexpr std::array<CodeRange, 20> invisible{{
    {0x0000, 0x001F},                                          // Control characters
    {0x007F, 0x009F},   {0x00AD, 0x00AD},                      // Soft hyphen
    {0x034F, 0x034F},   {0x061C, 0x061C},                      // Arabic letter mark
    {0x115F, 0x1160},                                          // Hangul fillers
    {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},  // Zero width; marks of direction
    {0x2028, 0x202E},  // Line and paragraph separators; embeddings and overrides of direction
    {0x2060, 0x206F},  // Word joiner; isolates of direction
    {0x3164, 0x3164},   {0xFE00, 0xFE0F},  // Variation selectors
    {0xFEFF, 0xFEFF},                      // Byte order mark
    {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0x13430, 0x13455},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},  // Tags, more variation selectors
}};

}  // namespace

Character first_character(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const Sequence sequence = sequence_of(first);
    if (sequence.length <= 1) return {sequence.length, first};
    if (text.size() < sequence.length || !within(text[1], sequence.second)) return {};
    // In the first byte of a sequence of n bytes, n + 1 bits encode the length. In the others, two
    // do.
    char32_t code = first & (0x7FU >> sequence.length);
    for (const char byte : text.substr(1, sequence.length - 1)) {
        if (!within(byte, {0x80, 0xBF})) return {};
        code = (code << 6U) | (static_cast<unsigned char>(byte) & 0x3FU);
    }
    return {sequence.length, code};
}

bool is_visible(char32_t code) {
    return std::ranges::none_of(invisible, [&](const CodeRange& range) {
        return code >= range.first && code <= range.last;
    });
}

std::string visible_text(std::string_view text, char instead) {
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_character(text);
        const std::size_t length = std::max<std::size_t>(character.length, 1);
        if (character.length > 0 && is_visible(character.code)) {
            shown += text.substr(0, length);
        } else {
            shown += instead;
        }
        text.remove_prefix(length);
    }
    return shown;
}

}  // namespace keyturn
