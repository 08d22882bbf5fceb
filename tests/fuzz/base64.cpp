// base64 in both directions: each text stands for other bytes than every other text.
#include "token/base64.hpp"

#include "fuzz/input.hpp"

using namespace keyturn;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = fuzz::text_of(data, size);
    const Secret text = encode_base64(bytes);
    invariant(text.size() == (size + 2) / 3 * 4, "the size of base64 is known beforehand");
    const std::optional<Secret> back = decode_base64(text.reveal());
    invariant(back && back->reveal() == bytes, "what was encoded is decoded");
    if (const std::optional<Secret> decoded = decode_base64(bytes)) {
        const Secret again = encode_base64(decoded->reveal());
        invariant(again.reveal() == bytes, "there is one text for any bytes");
    }
    return 0;
}
