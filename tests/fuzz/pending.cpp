// The file in which the two tokens of an open rotation are kept. An input without the file's own
// checksum is given it, or nothing would ever be accepted.
#include "delivery/pending.hpp"

#include "fuzz/input.hpp"
#include "token/digest.hpp"
#include "token/flat_json.hpp"

using namespace keyturn;

namespace {

std::string_view value_of(const FlatJson& json, std::string_view key) {
    const Secret* const value = json.find(key);
    return value == nullptr ? std::string_view{} : value->reveal();
}

/// "@sum@" in the text replaced by the checksum that the values ask for.
std::string with_checksum(std::string text) {
    const std::size_t at = text.find("@sum@");
    const Result<FlatJson> json = FlatJson::read(text);
    if (at == std::string::npos || !json) return text;
    return text.replace(
        at, 5,
        sha256_hex({value_of(*json, "rotation_id"), "\n", value_of(*json, "new_token"), "\n",
                    value_of(*json, "old_token")}));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = with_checksum(fuzz::with_secrets(fuzz::text_of(data, size)));
    const Result<PendingTokens> tokens = decode_pending(text);
    if (!tokens) {
        invariant(tokens.error().fault == Fault::invalid, "what is damaged is invalid");
        invariant(!fuzz::tells_secret(tokens.error().text), "a refusal tells no secret");
        return 0;
    }
    const Secret written = encode_pending(*tokens);
    const Result<PendingTokens> again = decode_pending(written.reveal());
    invariant(again.has_value(), "what is written can be read");
    invariant(again->rotation_id == tokens->rotation_id &&
                  same_secret(again->new_token, tokens->new_token) &&
                  same_secret(again->old_token, tokens->old_token),
              "both tokens come back as they were");
    Secret damaged = written.clone();
    damaged.data()[size % damaged.size()] ^= 1;
    const Result<PendingTokens> other = decode_pending(damaged.reveal());
    invariant(!other || same_secret(other->new_token, tokens->new_token),
              "a flipped bit never makes another token");
    return 0;
}
