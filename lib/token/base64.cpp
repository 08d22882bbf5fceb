#include "token/base64.hpp"

#include <array>
#include <cstdint>

namespace keyturn {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t not_in_alphabet = 0xff;

consteval std::array<std::uint8_t, 256> make_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(not_in_alphabet);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}
constexpr std::array<std::uint8_t, 256> values = make_values();

std::uint32_t byte_at(std::string_view bytes, std::size_t index) {
    return index < bytes.size() ? static_cast<unsigned char>(bytes[index]) : 0U;
}

char letter(std::uint32_t group, unsigned shift) {
    return alphabet[(group >> shift) & 0x3fU];
}

std::size_t padding_of(std::string_view text) {
    if (text.empty() || text.back() != '=') return 0;
    return text[text.size() - 2] == '=' ? 2 : 1;
}

/// The 24 bits of four characters. The last `padding` characters are '=' and count as zero.
std::optional<std::uint32_t> group_of(std::string_view four, std::size_t padding) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const bool padded = i >= 4 - padding;
        const std::uint8_t value =
            padded ? std::uint8_t{0} : values[static_cast<unsigned char>(four[i])];
        if (value == not_in_alphabet) return std::nullopt;
        group = (group << 6U) | value;
    }
    const std::uint32_t unused_bits = (1U << (8U * static_cast<unsigned>(padding))) - 1U;
    if ((group & unused_bits) != 0) return std::nullopt;
    return group;
}

}  // namespace

Secret encode_base64(std::string_view bytes) {
    Secret text((bytes.size() + 2) / 3 * 4);
    char* out = text.data();
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group =
            (byte_at(bytes, i) << 16U) | (byte_at(bytes, i + 1) << 8U) | byte_at(bytes, i + 2);
        *out++ = letter(group, 18);
        *out++ = letter(group, 12);
        *out++ = i + 1 < bytes.size() ? letter(group, 6) : '=';
        *out++ = i + 2 < bytes.size() ? letter(group, 0) : '=';
    }
    return text;
}

std::optional<Secret> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    const std::size_t padding = padding_of(text);
    Secret bytes(text.size() / 4 * 3);
    char* out = bytes.data();
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::optional<std::uint32_t> group = group_of(text.substr(i, 4), last ? padding : 0);
        if (!group) return std::nullopt;
        *out++ = static_cast<char>((*group >> 16U) & 0xffU);
        *out++ = static_cast<char>((*group >> 8U) & 0xffU);
        *out++ = static_cast<char>(*group & 0xffU);
    }
    bytes.truncate(bytes.size() - padding);
    return bytes;
}

}  // namespace keyturn
