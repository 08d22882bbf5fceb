#include "doctor/redactor.hpp"

#include "base/ascii.hpp"
#include "cloudflare/safe_text.hpp"
#include "doctor/unit_redaction.hpp"
#include "token/token.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace keyturn {

namespace {

using Json = nlohmann::ordered_json;

/// Shorter words are no secrets, and occur in texts by chance.
constexpr std::size_t known_min = 12;
/// The longest name in what systemd, keyturn and cloudflared print.
constexpr std::size_t word_max = 24;
constexpr std::size_t number_max = 14;
constexpr std::size_t harmless_piece_max = 3;
constexpr std::array<std::size_t, 5> id_sizes{4, 8, 12, 16, 32};
/// A list with as many small numbers is a text.
constexpr std::size_t bytes_min = 8;
constexpr int byte_max = 255;
constexpr std::string_view separators = "/=-_+%\\";
constexpr std::array<std::string_view, 10> secret_names{
    "password", "passwd",  "passphrase",    "secret",    "api_key",
    "apikey",   "api-key", "authorization", "api_token", "auth_token"};

bool in_a_run(char c) {
    return is_alphanumeric(c) || separators.find(c) != std::string_view::npos;
}

bool all_of(std::string_view text, bool (*is)(char)) {
    return std::ranges::all_of(text, is);
}

bool is_upper_letter(char c) {
    return c >= 'A' && c <= 'Z';
}

/// "Word", "word", "CamelCase", "UserID", each with a short number at its end, or "WORD".
bool is_name(std::string_view piece) {
    if (piece.size() > word_max) return false;
    if (all_of(piece, is_upper_letter)) return true;
    if (piece.ends_with("ID")) piece.remove_suffix(2);
    const std::size_t end = piece.find_last_not_of("0123456789") + 1;
    if (piece.size() - end > 2) return false;
    bool after_capital = false;
    for (const char c : piece.substr(0, end)) {
        if (!is_letter(c) || (after_capital && is_upper_letter(c))) return false;
        after_capital = is_upper_letter(c);
    }
    return !after_capital;
}

bool is_id(std::string_view piece) {
    return all_of(piece, is_lower_hex) &&
           std::ranges::find(id_sizes, piece.size()) != id_sizes.end();
}

/// True for a path, an assignment, a date: random base64 has a long piece in which capitals, small
/// letters and digits are mixed.
bool is_made_of_words(std::string_view run) {
    if (has_credential_mark(run)) return false;
    return std::ranges::all_of(split(run, separators), [](std::string_view piece) {
        return piece.size() <= harmless_piece_max || is_name(piece) || is_id(piece) ||
               (piece.size() <= number_max && all_of(piece, is_digit));
    });
}

std::size_t marks_in(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(redaction_mark, at)) != std::string_view::npos;
         ++count)
        at += redaction_mark.size();
    return count;
}

Redacted counted_from(std::string_view before, std::string after) {
    const std::size_t old = marks_in(before);
    const std::size_t now = marks_in(after);
    return {std::move(after), now > old ? now - old : 0};
}

/// "user:password@" before the host of each URL.
std::string without_users_of_urls(std::string_view line) {
    constexpr std::string_view mark = "://";
    std::string kept;
    for (;;) {
        const std::size_t found = line.find(mark);
        if (found == std::string_view::npos) return kept += line;
        kept += line.substr(0, found + mark.size());
        line.remove_prefix(found + mark.size());
        const std::string_view authority = line.substr(0, line.find_first_of("/ \t\"'<>"));
        const std::size_t at = authority.rfind('@');
        if (at == std::string_view::npos) continue;
        kept += redaction_mark;
        line.remove_prefix(at);
    }
}

/// What follows "NAME:" or "NAME=" on the line, if the name says that it is secret.
std::string without_assigned(std::string_view line) {
    const std::string small = lower(line);
    for (const std::string_view name : secret_names) {
        for (std::size_t at = 0; (at = small.find(name, at)) != std::string::npos;) {
            at += name.size();
            const std::size_t after =
                small.find_first_not_of("\"' \t_-abcdefghijklmnopqrstuvwxyz", at);
            if (after == std::string::npos || (small[after] != ':' && small[after] != '='))
                continue;
            const std::size_t value = small.find_first_not_of(" \t\"'", after + 1);
            if (value == std::string::npos) break;
            return fmt::format("{}{}", line.substr(0, value), redaction_mark);
        }
    }
    return std::string(line);
}

template <class Change>
std::string for_each_line(std::string_view text, const Change& change) {
    std::string result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        result += change(text.substr(0, end));
        result += "\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

bool is_list_of_bytes(const Json& value) {
    return value.is_array() && value.size() >= bytes_min &&
           std::ranges::all_of(value, [](const Json& one) {
               return one.is_number_unsigned() && one.get<std::uint64_t>() <= byte_max;
           });
}

/// `change` makes a text safe.
template <class Change>
Json safe_json(const Json& value, const Change& change) {
    if (value.is_string()) return change(value.template get_ref<const std::string&>());
    if (is_list_of_bytes(value)) return redaction_mark;
    if (value.is_array()) {
        Json list = Json::array();
        for (const Json& one : value) list.push_back(safe_json(one, change));
        return list;
    }
    if (!value.is_object()) return value;
    Json object = Json::object();
    for (const auto& [name, one] : value.items()) object[change(name)] = safe_json(one, change);
    return object;
}

std::optional<Json> parsed(std::string_view text) {
    Json value = Json::parse(text, nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
}

}  // namespace

void Redactor::know(std::string_view text) {
    for (const std::string_view word : split(text, " \t\r\n\"'")) {
        if (word.size() >= known_min && !is_made_of_words(word))
            known_.push_back(Secret::copy_of(word));
    }
    if (const auto token = decode_token(text)) {
        const Secret encoded = encode_secret(token->secret);
        std::string_view unpadded = encoded.reveal();
        while (unpadded.ends_with('=')) unpadded.remove_suffix(1);
        known_.push_back(Secret::copy_of(unpadded));
        known_.push_back(token->secret.clone());
    }
    // The longest first, so that nothing is left of it when a part of it is known, too.
    std::ranges::sort(known_, std::greater<>(), &Secret::size);
}

std::string Redactor::without_known(std::string_view line) const {
    std::string text(line);
    for (const Secret& one : known_) {
        for (std::size_t at = 0; (at = text.find(one.reveal(), at)) != std::string::npos;) {
            text.replace(at, one.size(), redaction_mark);
            at += redaction_mark.size();
        }
    }
    return text;
}

std::string Redactor::safe_line(std::string_view line) const {
    const std::string cut = without_users_of_urls(without_known(line));
    std::string_view rest = cut;
    std::string safe;
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    while (!rest.empty()) {
        const auto end = std::ranges::find_if_not(rest, in_a_run);
        const std::string_view run = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
        safe += is_made_of_words(run) ? std::string(run) : safe_text(run, all);
        rest.remove_prefix(run.size());
        if (rest.empty()) break;
        safe += rest.front() == '\t' ? "\t" : safe_text(rest.substr(0, 1), all);
        rest.remove_prefix(1);
    }
    return safe;
}

Redacted Redactor::prose(std::string_view text) const {
    return counted_from(
        text, for_each_line(text, [&](std::string_view line) { return safe_line(line); }));
}

Redacted Redactor::settings(std::string_view text) const {
    return counted_from(text, for_each_line(text, [&](std::string_view line) {
                            return safe_line(without_assigned(line));
                        }));
}

Redacted Redactor::unit(std::string_view text) const {
    return counted_from(text, settings(without_secrets_of_units(text)).text);
}

Redacted Redactor::json(std::string_view text) const {
    std::size_t count = 0;
    const auto safe = [&](std::string_view value) {
        std::string changed =
            for_each_line(value, [&](std::string_view line) { return safe_line(line); });
        if (!value.ends_with('\n') && !changed.empty()) changed.pop_back();
        count += counted_from(value, changed).count;
        return changed;
    };
    const auto write = [&](const Json& value, int indent) {
        return safe_json(value, safe).dump(indent, ' ', true, Json::error_handler_t::replace);
    };
    if (const auto whole = parsed(text)) {
        std::string written = write(*whole, 2) + "\n";
        return {std::move(written), count};
    }
    std::string written = for_each_line(text, [&](std::string_view line) {
        const auto value = parsed(line);
        return value ? write(*value, -1) : safe(line);
    });
    return {std::move(written), count};
}

}  // namespace keyturn
