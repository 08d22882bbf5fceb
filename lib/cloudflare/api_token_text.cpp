#include "cloudflare/api_token_text.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace keyturn {

namespace {

constexpr std::string_view blank = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string_view without_quotes(std::string_view text) {
    const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                        (text.front() == '"' || text.front() == '\'');
    return quoted ? without_blanks(text.substr(1, text.size() - 2)) : text;
}

/// The letters of a b64token (RFC 6750), without `=`, which no API token of Cloudflare contains.
bool is_token_letter(char c) {
    return is_digit(c) || is_letter(c) || std::string_view{"-_.~+/"}.find(c) != std::string::npos;
}

struct Mistake {
    std::string_view start;  ///< How a text of this kind begins.
    std::string_view what;
};

constexpr std::string_view remedy = "; write the API token into it, and nothing else";

constexpr std::array mistakes{
    Mistake{"\xff\xfe", "is in UTF-16, as some editors save text; save it as UTF-8"},
    Mistake{"\xfe\xff", "is in UTF-16, as some editors save text; save it as UTF-8"},
    Mistake{"eyJ",
            "contains a tunnel token, which is for connectors and cannot call the API; create an "
            "API token at Cloudflare and write that into it"},
    Mistake{"-----BEGIN", "contains a PEM file, such as cloudflared's cert.pem, not an API token"},
    Mistake{"{", "contains JSON, such as a tunnel's credentials file, not an API token"},
    Mistake{"cfk_", "contains a Global API Key, but keyturn accepts only API tokens"},
    Mistake{"v1.0-", "contains an Origin CA key, not an API token"},
};

/// `what` may already contain a remedy, after a semicolon.
Error wrong(std::string_view what) {
    const bool has_remedy = what.find(';') != std::string_view::npos;
    return {Fault::invalid, std::string{what} + std::string{has_remedy ? "" : remedy}};
}

/// `NAME=value`, `export NAME=value` and `NAME: value`: files for other programs.
bool is_assignment(std::string_view text) {
    constexpr std::string_view exporting = "export ";
    if (text.starts_with(exporting)) text.remove_prefix(exporting.size());
    const std::size_t end = text.find_first_of("=:");
    if (end == std::string_view::npos || end == 0) return false;
    return std::ranges::all_of(without_blanks(text.substr(0, end)),
                               [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

}  // namespace

Result<std::string_view> find_api_token(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    text = without_quotes(without_blanks(text));
    if (text.empty()) return wrong("is empty; write the Cloudflare API token into it");
    for (const Mistake& mistake : mistakes) {
        if (text.starts_with(mistake.start)) return wrong(mistake.what);
    }
    if (is_assignment(text)) return wrong("contains a name before the API token (NAME=value)");
    if (lower(text.substr(0, 7)) == "bearer ") return wrong("begins with the word Bearer");
    if (text.find('\n') != std::string_view::npos) return wrong("has more than one line");
    if (!std::ranges::all_of(text, is_token_letter)) {
        return wrong("contains a blank or another character that an API token cannot have");
    }
    return text;
}

}  // namespace keyturn
