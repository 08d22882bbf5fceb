#include "policy/source_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace keyturn {
namespace {

constexpr std::size_t secret_size_min = 32;
constexpr std::size_t hex_secret_size_min = 33;  // 32 hex digits are an account id, not a secret.
constexpr std::string_view base64_json = "eyJ";
constexpr std::size_t base64_json_size_min = 16;

unsigned char byte_of(char c) {
    return static_cast<unsigned char>(c);
}

bool continues_character(char c) {
    return (byte_of(c) & 0xC0U) == 0x80U;
}

/// The size of the UTF-8 character at the front of `text`; 0 if it is invalid.
std::size_t character_size(std::string_view text) {
    const unsigned char lead = byte_of(text.front());
    if (lead < 0x80) return 1;
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
    const auto tail = text.substr(1, size - 1);
    if (!std::all_of(tail.begin(), tail.end(), continues_character)) return 0;
    const unsigned char second = byte_of(text[1]);
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool surrogate = lead == 0xED && second >= 0xA0;
    const bool beyond = lead == 0xF4 && second >= 0x90;
    return overlong || surrogate || beyond ? 0 : size;
}

/// Terminals also obey the control characters beyond ASCII (U+0080 to U+009F).
bool begins_with_control(std::string_view text) {
    const unsigned char first = byte_of(text.front());
    const bool beyond_ascii =
        first == 0xC2 && text.size() > 1 && continues_character(text[1]) && byte_of(text[1]) < 0xA0;
    return (first < ' ' && first != '\t') || first == 0x7F || beyond_ascii;
}

std::optional<Remark> find_bad_byte(std::string_view line, int number) {
    const std::size_t at = sound_size(line);
    if (at == line.size()) return std::nullopt;
    const Place place{number, static_cast<int>(at) + 1};
    if (begins_with_control(line.substr(at))) {
        const char control = byte_of(line[at]) < 0x80 ? line[at] : line[at + 1];
        return Remark{place,
                      fmt::format("control character 0x{:02x}; delete it", byte_of(control))};
    }
    return Remark{place, "not UTF-8; save the file as UTF-8"};
}

std::optional<Remark> find_bad_shape(std::string_view line, int number) {
    if (line.size() > policy_line_bytes_max) {
        return Remark{{number, 1},
                      fmt::format("the line is longer than {} bytes", policy_line_bytes_max)};
    }
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || line[first] == '#') return std::nullopt;
    const auto tab = line.substr(0, first).find('\t');
    if (tab == std::string_view::npos) return std::nullopt;
    return Remark{{number, static_cast<int>(tab) + 1},
                  "tab in the indentation; YAML indents with spaces only"};
}

bool is_secret_character(char c) {
    return std::isalnum(byte_of(c)) != 0 || c == '+' || c == '/' || c == '_' || c == '-' ||
           c == '=';
}

}  // namespace

std::size_t sound_size(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && !begins_with_control(line.substr(at))) {
        const std::size_t size = character_size(line.substr(at));
        if (size == 0) break;
        at += size;
    }
    return at;
}

std::string without_controls(std::string_view text) {
    std::string result{text};
    for (std::size_t at = 0; at < result.size(); ++at) {
        if (result[at] != '\t' && !begins_with_control(std::string_view{result}.substr(at)))
            continue;
        if (byte_of(result[at]) >= 0x80) result[at++] = '?';
        result[at] = '?';
    }
    return result;
}

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        lines.push_back(line);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

std::vector<Remark> find_unfit_text(std::string_view text) {
    std::vector<Remark> remarks;
    int number = 0;
    for (const std::string_view line : split_lines(text)) {
        ++number;
        // After an invalid byte, the rest is most likely not text at all.
        if (auto remark = find_bad_byte(line, number)) return {*remark};
        if (auto remark = find_bad_shape(line, number)) remarks.push_back(*remark);
    }
    return remarks;
}

bool looks_like_secret(std::string_view word) {
    if (word.starts_with(base64_json) && word.size() >= base64_json_size_min) return true;
    const auto any = [&](int (*is)(int)) {
        return std::any_of(word.begin(), word.end(), [is](char c) { return is(byte_of(c)) != 0; });
    };
    const bool hex = std::all_of(word.begin(), word.end(),
                                 [](char c) { return std::isxdigit(byte_of(c)) != 0; });
    if (hex) return word.size() >= hex_secret_size_min;
    return word.size() >= secret_size_min && any(std::isupper) && any(std::islower) &&
           any(std::isdigit);
}

std::string with_secrets_starred(std::string_view text) {
    std::string result{text};
    for (auto begin = result.begin(); begin != result.end();) {
        begin = std::find_if(begin, result.end(), is_secret_character);
        const auto end = std::find_if_not(begin, result.end(), is_secret_character);
        if (begin != end && looks_like_secret({begin, end})) std::fill(begin, end, '*');
        begin = end;
    }
    return result;
}

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

std::size_t whole_characters(std::string_view text, std::size_t size) {
    size = std::min(size, text.size());
    while (size > 0 && size < text.size() && continues_character(text[size])) --size;
    return size;
}

}  // namespace keyturn
