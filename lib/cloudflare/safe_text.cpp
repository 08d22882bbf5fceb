#include "cloudflare/safe_text.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

// A tunnel secret has 44 characters, an API token 40 and a global API key 37. A UUID has 36.
constexpr std::size_t harmless_run_max = 36;
constexpr std::string_view uuid_shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
constexpr std::string_view account_shape = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
// Words in the API's paths and queries: "cfd_tunnel", "connections", "client_id".
constexpr std::size_t path_word_max = 16;
constexpr std::string_view piece_ends = "/=";
constexpr std::array<std::string_view, 5> credential_marks{"eyJ", "cfat_", "cfut_", "cfk_",
                                                           "Bearer"};
constexpr std::string_view redacted = "[redacted]";

/// True for every character of base64 in both alphabets and in percent-encoding.
bool may_be_credential(char c) {
    return is_letter(c) || is_digit(c) || std::string_view{"+/=-_%\\"}.find(c) != std::string::npos;
}

bool has_shape(std::string_view text, std::string_view shape) {
    return std::ranges::equal(text, shape, [](char c, char wanted) {
        const bool hex = is_digit(c) || (c >= 'a' && c <= 'f');
        return wanted == 'x' ? hex : c == wanted;
    });
}

bool is_path_word(std::string_view text) {
    return text.size() <= path_word_max && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || c == '_' || c == '-';
           });
}

/// True for text such as "/accounts/ID/cfd_tunnel/ID/connections", which consists of words and ids
/// only. Random base64 has capitals and digits in every piece that is long enough to be of use.
bool is_path_of_ids(std::string_view run) {
    bool has_id = false;
    while (!run.empty()) {
        const std::size_t end = std::min(run.find_first_of(piece_ends), run.size());
        const std::string_view piece = run.substr(0, end);
        const bool id = has_shape(piece, uuid_shape) || has_shape(piece, account_shape);
        if (!id && piece != "v4" && !is_path_word(piece)) return false;
        has_id = has_id || id;
        run.remove_prefix(std::min(end + 1, run.size()));
    }
    return has_id;
}

}  // namespace

bool has_credential_mark(std::string_view text) {
    return std::ranges::any_of(credential_marks, [&](std::string_view mark) {
        return text.find(mark) != std::string_view::npos;
    });
}

std::string safe_text(std::string_view text, std::size_t size_max) {
    std::string safe;
    while (!text.empty() && safe.size() < size_max) {
        const auto end = std::find_if_not(text.begin(), text.end(), may_be_credential);
        const auto run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        const bool hide =
            has_credential_mark(run) || (run.size() > harmless_run_max && !is_path_of_ids(run));
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
