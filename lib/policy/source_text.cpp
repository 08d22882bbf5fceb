#include "policy/source_text.hpp"

#include "base/ascii.hpp"
#include "base/visible_text.hpp"

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

/// The control character at the front of `text`, if there is one. Terminals also obey those beyond
/// ASCII (U+0080 to U+009F).
std::optional<char32_t> control_at_front(std::string_view text) {
    const auto [length, code] = first_character(text);
    const bool control = code < ' ' ? code != '\t' : code >= 0x7F && code < 0xA0;
    const bool valid = length > 0 || text.front() == '\0';
    return control && valid ? std::optional{code} : std::nullopt;
}

std::optional<Remark> find_bad_byte(std::string_view line, int number) {
    const std::size_t at = sound_size(line);
    if (at == line.size()) return std::nullopt;
    const Place place{number, static_cast<int>(at) + 1};
    if (const auto control = control_at_front(line.substr(at))) {
        return Remark{place, fmt::format("control character 0x{:02x}; delete it",
                                         static_cast<std::uint32_t>(*control))};
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
    return is_alphanumeric(c) || c == '+' || c == '/' || c == '_' || c == '-' || c == '=';
}

}  // namespace

std::size_t sound_size(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && !control_at_front(line.substr(at))) {
        const std::size_t size = first_character(line.substr(at)).length;
        if (size == 0) break;
        at += size;
    }
    return at;
}

std::string without_controls(std::string_view text) {
    std::string result{text};
    for (std::size_t at = 0; at < result.size(); ++at) {
        if (result[at] != '\t' && !control_at_front(std::string_view{result}.substr(at))) continue;
        if (byte_of(result[at]) >= 0x80) result[at++] = '?';
        result[at] = '?';
    }
    return result;
}

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines = split(text, "\n");
    if (lines.back().empty()) lines.pop_back();
    for (std::string_view& line : lines) {
        if (line.ends_with('\r')) line.remove_suffix(1);
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
        return std::ranges::any_of(word, [is](char c) { return is(byte_of(c)) != 0; });
    };
    if (std::ranges::all_of(word, is_hex)) return word.size() >= hex_secret_size_min;
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
        std::ranges::count_if(text, [](char c) { return !continues_character(c); }));
}

std::size_t whole_characters(std::string_view text, std::size_t size) {
    size = std::min(size, text.size());
    while (size > 0 && size < text.size() && continues_character(text[size])) --size;
    return size;
}

}  // namespace keyturn
