#include "setup/token_text.hpp"

#include "base/ascii.hpp"
#include "token/base64.hpp"
#include "token/flat_json.hpp"

#include <algorithm>
#include <functional>
#include <string>

namespace keyturn {

namespace {

/// How a token begins: base64 of `{"`.
constexpr std::string_view token_begin = "eyJ";
constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_base64(char c) {
    return base64_alphabet.find(c) != std::string_view::npos;
}

/// The size of the base64 word at the front of `text`, with its padding.
std::size_t word_size(std::string_view text) {
    const std::size_t end = std::min(text.find_first_not_of(base64_alphabet), text.size());
    return std::min(text.find_first_not_of('=', end), text.size());
}

using Wanted = std::function<bool(const TunnelToken&)>;

std::optional<FoundToken> find_in_credentials(std::string_view text, std::string_view tunnel,
                                              const Wanted& wanted) {
    const auto json = FlatJson::read(text);
    if (!json) return std::nullopt;
    const Secret* account = json->find("AccountTag");
    const Secret* secret = json->find("TunnelSecret");
    const Secret* id = json->find("TunnelID");
    if (account == nullptr || secret == nullptr) return std::nullopt;
    auto bytes = decode_base64(secret->reveal());
    const std::size_t begin = text.find(secret->reveal());
    if (!bytes || secret->empty() || begin == std::string_view::npos) return std::nullopt;
    TunnelToken token;
    token.account = lower(account->reveal());
    token.tunnel = lower(id == nullptr ? tunnel : id->reveal());
    token.secret = std::move(*bytes);
    if (const Secret* endpoint = json->find("Endpoint")) token.endpoint = endpoint->reveal();
    // The encoder and the strict decoder decide whether the parts make a token.
    if (!decode_token(encode_token(token).reveal()) || !wanted(token)) return std::nullopt;
    return FoundToken{std::move(token), begin, secret->size(), true};
}

std::optional<FoundToken> find_wanted(std::string_view text, std::string_view tunnel,
                                      const Wanted& wanted) {
    for (std::size_t begin = text.find(token_begin); begin != std::string_view::npos;
         begin = text.find(token_begin, begin + 1)) {
        if (begin > 0 && is_base64(text[begin - 1])) continue;
        const std::size_t size = word_size(text.substr(begin));
        auto token = decode_token(text.substr(begin, size));
        if (token && wanted(*token)) return FoundToken{std::move(*token), begin, size, false};
    }
    return find_in_credentials(text, tunnel, wanted);
}

}  // namespace

std::optional<FoundToken> find_token(std::string_view text, std::string_view tunnel) {
    return find_wanted(text, tunnel, [](const TunnelToken&) { return true; });
}

std::optional<FoundToken> find_token_with(std::string_view text, const Fingerprint& fingerprint,
                                          std::string_view tunnel) {
    return find_wanted(text, tunnel, [&](const TunnelToken& token) {
        return fingerprint_of(token) == fingerprint;
    });
}

Secret with_token(std::string_view text, const FoundToken& place, const TunnelToken& token) {
    const Secret written =
        place.credentials_json ? encode_secret(token.secret) : encode_token(token);
    const std::string_view before = text.substr(0, place.begin);
    const std::string_view after = text.substr(place.begin + place.size);
    Secret result(before.size() + written.size() + after.size());
    char* end = result.data();
    for (const std::string_view part : {before, written.reveal(), after})
        end = std::copy(part.begin(), part.end(), end);
    return result;
}

}  // namespace keyturn
