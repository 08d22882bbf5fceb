#include "token/token.hpp"

#include "base/ascii.hpp"
#include "token/base64.hpp"
#include "token/digest.hpp"
#include "token/flat_json.hpp"

#include <algorithm>
#include <cstring>

namespace keyturn {
namespace {

constexpr std::size_t name_size_max = 64;  // An account has 32 characters, a tunnel 36.
constexpr std::size_t fingerprint_digits = 16;
constexpr std::size_t rotation_id_digits = 32;

Error invalid(std::string_view why) {
    return Error{Fault::invalid, std::string("the token cannot be used: ").append(why)};
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view white_space = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(white_space);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

/// True if the text is valid as it is in a journal field or a URL.
bool is_name(std::string_view text) {
    return text.size() <= name_size_max && std::ranges::all_of(text, [](char c) {
               return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
           });
}

constexpr std::string_view own_keys = "aste";

bool is_own(std::string_view key) {
    return key.size() == 1 && own_keys.find(key) != std::string_view::npos;
}

/// cloudflared is written in Go, which ignores case in keys, even in Unicode's sense. If only Go
/// accepts a key, cloudflared would read another token than keyturn.
bool reads_otherwise_in_go(std::string_view key) {
    const bool ascii =
        std::ranges::all_of(key, [](char c) { return static_cast<signed char>(c) >= 0; });
    return !ascii || (!is_own(key) && is_own(lower(key)));
}

/// Why cloudflared would read another token than keyturn; nothing if both read the same.
/// cloudflared takes the last of several equal keys, refuses a value that is not a string, and
/// ignores null.
std::optional<std::string_view> ambiguity(const FlatJson& json) {
    std::string seen;
    for (const FlatJson::Member& member : json.members()) {
        const std::string_view key = member.key.reveal();
        if (reads_otherwise_in_go(key)) return "a key contains capitals or letters outside ASCII";
        if (!is_own(key)) continue;
        if (!member.is_text) return "its account, secret, tunnel or endpoint is not a string";
        if (seen.find(key) != std::string::npos) return "a key occurs twice";
        seen += key;
    }
    return std::nullopt;
}

std::string text_of(const Secret* value) {
    return value == nullptr ? std::string() : std::string(value->reveal());
}

Result<TunnelToken> token_from(const FlatJson& json) {
    if (const auto why = ambiguity(json)) return invalid(*why);
    for (const std::string_view key : {"a", "t", "e"}) {
        const Secret* value = json.find(key);
        if (value != nullptr && !is_name(value->reveal())) {
            return invalid("account, tunnel or endpoint is not a plain word");
        }
    }
    const Secret* secret = json.find("s");
    if (secret == nullptr) return invalid("it has no secret");
    std::optional<Secret> bytes = decode_base64(secret->reveal());
    if (!bytes) return invalid("its secret is not base64");
    if (bytes->size() < secret_size_min) return invalid("its secret is shorter than 32 bytes");
    // In lower case from here on, because ids are compared everywhere and their case has no
    // meaning.
    TunnelToken token{lower(text_of(json.find("a"))), lower(text_of(json.find("t"))),
                      std::move(*bytes), text_of(json.find("e"))};
    if (token.account.empty()) return invalid("it names no account");
    if (token.tunnel.empty()) return invalid("it names no tunnel");
    if (!is_uuid(token.tunnel)) return invalid("its tunnel is not a UUID");
    return token;
}

}  // namespace

Result<TunnelToken> decode_token(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return invalid("it is empty");
    if (text.size() > token_size_max) return invalid("it is longer than 4096 bytes");
    const std::optional<Secret> decoded = decode_base64(text);
    if (!decoded) return invalid("it is not base64");
    const Result<FlatJson> json = FlatJson::read(decoded->reveal());
    if (!json) return invalid(json.error().text);
    return token_from(*json);
}

Secret encode_token(const TunnelToken& token) {
    const Secret secret = encode_secret(token.secret);
    const Secret json =
        token.endpoint.empty()
            ? write_flat_json({{"a", token.account}, {"s", secret.reveal()}, {"t", token.tunnel}})
            : write_flat_json({{"a", token.account},
                               {"s", secret.reveal()},
                               {"t", token.tunnel},
                               {"e", token.endpoint}});
    return encode_base64(json.reveal());
}

Secret encode_secret(const Secret& bytes) {
    return encode_base64(bytes.reveal());
}

bool same_token(const TunnelToken& left, const TunnelToken& right) {
    const bool same = same_secret(left.secret, right.secret);
    return same && lower(left.account) == lower(right.account) &&
           lower(left.tunnel) == lower(right.tunnel) && left.endpoint == right.endpoint;
}

Fingerprint fingerprint_of(const TunnelToken& token) {
    // Lower case, because equal tokens must have the same fingerprint.
    return sha256_hex({"keyturn", lower(token.tunnel), token.secret.reveal()})
        .substr(0, fingerprint_digits);
}

Fingerprint fingerprint_of_text(const Secret& text) {
    const Result<TunnelToken> token = decode_token(text.reveal());
    return token ? fingerprint_of(*token) : Fingerprint();
}

std::string rotation_id_of(const TunnelToken& token) {
    return sha256_hex({"keyturn rotation", lower(token.tunnel), token.secret.reveal()})
        .substr(0, rotation_id_digits);
}

}  // namespace keyturn
