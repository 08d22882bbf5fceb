// A tunnel token, as it comes from the API or a file. An input that begins with a brace is what a
// token decodes to; any other is the text of one.
#include "token/token.hpp"

#include "fuzz/input.hpp"
#include "token/base64.hpp"

using namespace keyturn;

namespace {

bool is_digits(std::string_view text, std::size_t size) {
    return text.size() == size &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input = fuzz::with_secrets(fuzz::text_of(data, size));
    const Secret text = input.starts_with('{') ? encode_base64(input) : Secret::copy_of(input);
    const Result<TunnelToken> token = decode_token(text.reveal());
    if (!token) {
        const std::string& why = token.error().text;
        invariant(token.error().fault == Fault::invalid, "a token is refused as invalid");
        invariant(why.starts_with("the token cannot be used: "), "a refusal says what it is about");
        invariant(why.size() < 120 && !fuzz::tells_secret(why), "a refusal tells no secret");
        return 0;
    }
    invariant(token->secret.size() >= secret_size_min, "no secret is short");
    for (const std::string* word : {&token->account, &token->tunnel, &token->endpoint}) {
        invariant(word->size() <= 64 && fuzz::is_printable_ascii(*word), "names are plain words");
    }
    const Secret written = encode_token(*token);
    const Result<TunnelToken> again = decode_token(written.reveal());
    invariant(again && same_token(*again, *token), "a token is read as it is written");
    invariant(same_secret(encode_token(*again), written), "a token is written in one way");
    invariant(is_digits(fingerprint_of(*token), 16), "a fingerprint has 16 digits");
    invariant(fingerprint_of(*again) == fingerprint_of(*token), "the same token, the same name");
    invariant(is_digits(rotation_id_of(*token), 32), "a rotation has 32 digits");
    return 0;
}
