// The body of an answer of Cloudflare's API, read as the answer to each of the calls.
#include "cloudflare/messages.hpp"
#include "fuzz/input.hpp"

using namespace keyturn;

namespace {

constexpr std::size_t value_size_max = 256 + 3;  // Three for the mark of what was cut off.

template <class Value>
void check_refusal(const Result<Value>& result) {
    if (result) return;
    const std::string& why = result.error().text;
    invariant(result.error().fault == Fault::invalid, "a body is refused as invalid");
    invariant(!why.empty() && why.size() < 1200, "a refusal is bounded");
    invariant(fuzz::is_printable_ascii(why), "a refusal is fit for the journal");
    invariant(!fuzz::tells_secret(why), "a refusal tells no secret");
}

void check_word(const std::string& word) {
    invariant(word.size() <= value_size_max && fuzz::is_printable_ascii(word), "values are plain");
    invariant(!fuzz::tells_secret(word), "a value that is shown is no secret");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string body = fuzz::with_secrets(fuzz::text_of(data, size));
    const ApiErrors errors = parse_errors(body);
    invariant(errors.text.size() < 1200 && errors.codes.size() <= 8, "errors are bounded");
    invariant(fuzz::is_printable_ascii(errors.text), "errors are fit for the journal");
    invariant(!fuzz::tells_secret(errors.text), "errors tell no secret");

    const auto tunnel = parse_tunnel(body);
    check_refusal(tunnel);
    const auto token = parse_token(body);
    check_refusal(token);
    invariant(!token || (!token->empty() && token->size() <= api_token_answer_size_max),
              "a token has a size");
    const auto patched = parse_patched(body);
    check_refusal(patched);
    invariant(!patched || !*patched || !(*patched)->empty(), "no token rather than an empty one");
    invariant(!tunnel || patched.has_value(), "a PATCH answers with a tunnel");
    const auto connectors = parse_connectors(body);
    check_refusal(connectors);
    if (!connectors) return 0;
    for (const Connector& connector : *connectors) {
        invariant(!connector.id.empty() && connector.connections >= 0, "a connector has an id");
        for (const std::string* word :
             {&connector.id, &connector.origin_ip, &connector.run_at, &connector.version}) {
            check_word(*word);
        }
    }
    return 0;
}
