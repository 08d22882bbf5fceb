#include "cloudflare/safe_text.hpp"

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

// A tunnel secret has 44 characters and an API token 40; a uuid has 36.
constexpr std::size_t harmless_run_max = 38;
constexpr std::array<std::string_view, 5> credential_marks{"eyJ", "cfat_", "cfut_", "cfk_",
                                                           "Bearer"};
constexpr std::string_view redacted = "[redacted]";

/// Every letter of base64 in both alphabets, and of its percent-encoded form.
bool may_be_credential(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=' || c == '-' || c == '_' || c == '%' || c == '\\';
}

bool has_mark(std::string_view run) {
    return std::any_of(
        credential_marks.begin(), credential_marks.end(),
        [&](std::string_view mark) { return run.find(mark) != std::string_view::npos; });
}

}  // namespace

std::string safe_text(std::string_view text, std::size_t size_max) {
    std::string safe;
    while (!text.empty() && safe.size() < size_max) {
        const auto end = std::find_if_not(text.begin(), text.end(), may_be_credential);
        const auto run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        const bool hide = run.size() > harmless_run_max || has_mark(run);
        safe += hide ? redacted : run;
        text.remove_prefix(run.size());
        if (text.empty()) break;
        const char c = text.front();
        safe += (c >= ' ' && c < 0x7f) ? c : '?';
        text.remove_prefix(1);
    }
    if (safe.size() > size_max) {
        safe.resize(size_max);
        safe += "...";
    }
    return safe;
}

}  // namespace keyturn
