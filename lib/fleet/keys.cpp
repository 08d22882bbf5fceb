#include "fleet/keys.hpp"

#include "base/ascii.hpp"
#include "credential/credential_source.hpp"
#include "delivery/pending.hpp"
#include "fleet/cipher.hpp"
#include "token/base64.hpp"
#include "token/random.hpp"
#include "token/token.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t id_size_max = 16;
constexpr std::string_view blanks = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

char value_of(char digit) {
    const char c = lower(digit);
    return static_cast<char>(is_digit(c) ? c - '0' : c - 'a' + 10);
}

/// The bytes of 64 hex digits; nothing for any other text.
std::optional<Secret> key_in(std::string_view hex) {
    if (hex.size() != 2 * key_size || !std::ranges::all_of(hex, is_hex)) return std::nullopt;
    Secret bytes(key_size);
    for (std::size_t i = 0; i < key_size; ++i) {
        bytes.data()[i] = static_cast<char>(value_of(hex[2 * i]) * 16 + value_of(hex[2 * i + 1]));
    }
    return bytes;
}

Error wrong_line(std::size_t number, std::string_view why) {
    return Error{Fault::invalid,
                 fmt::format("line {} of the fleet keys {}; a line is ID HEX: 1 to 16 letters, "
                             "digits and \"-\", a blank, 64 hex digits",
                             number, why)};
}

std::string seal_data(const FleetDocument& document, const std::string& rotation_id,
                      const std::string& key_id) {
    return fmt::format("keyturn-seal-1|{}|{}|{}|{}", document.fleet, document.tunnel, rotation_id,
                       key_id);
}

Secret seal_key(const Secret& key, const std::string& tunnel) {
    return hkdf_sha256(key, "keyturn seal 1 " + tunnel, gcm_key_size);
}

Error broken_seal(const char* why) {
    return Error{Fault::denied,
                 fmt::format("cannot unseal the tokens in the shared object: {}", why)};
}

Error wrong_tokens(std::string_view why) {
    return Error{Fault::invalid, fmt::format("the sealed tokens in the shared object {}", why)};
}

/// Whether the sealed text is a token of this tunnel.
Result<void> check_token(const FleetDocument& document, const Secret& text) {
    const Result<TunnelToken> token = decode_token(text.reveal());
    if (!token) return wrong_tokens("cannot be used: " + token.error().text);
    if (token->tunnel != document.tunnel || token->account != document.account) {
        return wrong_tokens("are not of this tunnel");
    }
    return {};
}

/// `FleetKeys::read` finds what is wrong with the content.
Result<std::string_view> find_fleet_keys(std::string_view text) {
    text = without_blanks(text);
    if (text.empty()) return Error{Fault::invalid, "is empty"};
    return text;
}

constexpr CredentialContent fleet_keys_content{
    "the fleet key", "the lines of the file of another host", find_fleet_keys};

}  // namespace

bool is_fleet_key_id(std::string_view id) {
    return !id.empty() && id.size() <= id_size_max && consists_of(id, "-");
}

Result<FleetKeys> FleetKeys::read(std::string_view text) {
    FleetKeys keys;
    std::size_t number = 0;
    for (const std::string_view each : split(text, "\n")) {
        ++number;
        const std::string_view line = without_blanks(each);
        if (line.empty() || line.starts_with('#')) continue;
        const std::size_t blank = line.find_first_of(blanks);
        const std::string_view id = line.substr(0, blank);
        if (blank == std::string_view::npos) return wrong_line(number, "has one word");
        if (!is_fleet_key_id(id)) return wrong_line(number, "does not begin with an id");
        std::optional<Secret> bytes = key_in(without_blanks(line.substr(blank)));
        if (!bytes) return wrong_line(number, "does not end with 64 hex digits");
        if (keys.find(id) != nullptr) return wrong_line(number, "repeats the id of another line");
        keys.keys_.push_back(Key{std::string(id), std::move(*bytes)});
    }
    if (keys.keys_.empty()) return Error{Fault::invalid, "there is no line with a fleet key"};
    return keys;
}

std::vector<std::string> FleetKeys::ids() const {
    std::vector<std::string> ids;
    for (const Key& key : keys_) ids.push_back(key.id);
    return ids;
}

const FleetKeys::Key* FleetKeys::find(std::string_view id) const {
    const auto found = std::ranges::find(keys_, id, &Key::id);
    return found == keys_.end() ? nullptr : &*found;
}

std::optional<std::string> FleetKeys::mac(std::string_view id, std::string_view tunnel,
                                          std::string_view text) const {
    const Key* const key = find(id);
    if (key == nullptr) return std::nullopt;
    const Secret derived =
        hkdf_sha256(key->bytes, fmt::format("keyturn mac 1 {}", lower(tunnel)), key_size);
    return hmac_sha256_hex(derived, text);
}

Result<SealedTokens> FleetKeys::seal(const FleetDocument& document, Random& random,
                                     const PendingTokens& tokens) const {
    if (keys_.empty()) return Error{Fault::invalid, "there is no fleet key"};
    const Key& key = keys_.front();
    const Result<Secret> nonce = random.bytes(gcm_nonce_size);
    if (!nonce) return nonce.error();
    const std::string sealed =
        gcm_seal(seal_key(key.bytes, document.tunnel), nonce->reveal(),
                 seal_data(document, tokens.rotation_id, key.id), encode_pending(tokens));
    return SealedTokens{tokens.rotation_id, key.id,
                        std::string(encode_base64(nonce->reveal()).reveal()),
                        std::string(encode_base64(sealed).reveal())};
}

Result<PendingTokens> FleetKeys::unseal(const FleetDocument& document) const {
    if (!document.sealed) return Error{Fault::missing, "the shared object has no sealed tokens"};
    const SealedTokens& sealed = *document.sealed;
    const Key* const key = find(sealed.key_id);
    if (key == nullptr) {
        return broken_seal(
            "this host does not have their fleet key; copy the file of fleet keys from a host "
            "that has it");
    }
    const std::optional<Secret> nonce = decode_base64(sealed.nonce);
    const std::optional<Secret> bytes = decode_base64(sealed.text);
    if (!nonce || !bytes) return broken_seal("they are damaged");
    const std::optional<Secret> text =
        gcm_open(seal_key(key->bytes, document.tunnel), nonce->reveal(),
                 seal_data(document, sealed.rotation_id, sealed.key_id), bytes->reveal());
    if (!text) {
        return broken_seal(
            "the seal is broken: they were changed, or sealed for another tunnel or rotation, or "
            "this host has another key under the same id");
    }
    Result<PendingTokens> tokens = decode_pending(text->reveal());
    if (!tokens) return wrong_tokens("cannot be used: " + tokens.error().text);
    if (tokens->rotation_id != sealed.rotation_id) return wrong_tokens("are of another rotation");
    for (const Secret* token : {&tokens->new_token, &tokens->old_token}) {
        const Result<void> checked = check_token(document, *token);
        if (!checked) return checked.error();
    }
    return tokens;
}

Result<FleetKeys> read_fleet_keys(const CredentialSource& source, const std::string& directory) {
    const Result<Secret> text = read_credential_source(source, directory, fleet_keys_content);
    if (!text) return text.error();
    Result<FleetKeys> keys = FleetKeys::read(text->reveal());
    if (!keys) {
        const std::string& place = source.file.empty() ? source.credential : source.file;
        return with_context(place, keys.error());
    }
    return keys;
}

}  // namespace keyturn
