#include "token/base64.hpp"

#include <openssl/evp.h>

namespace keyturn {
namespace {

const unsigned char* begin_of(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* begin_of(Secret& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

Secret encode_base64(std::string_view bytes) {
    Secret text((bytes.size() + 2) / 3 * 4 + 1);  // OpenSSL adds a NUL.
    EVP_EncodeBlock(begin_of(text), begin_of(bytes), static_cast<int>(bytes.size()));
    text.truncate(text.size() - 1);
    return text;
}

std::optional<Secret> decode_base64(std::string_view text) {
    Secret bytes(text.size() / 4 * 3);
    if (text.empty()) return bytes;
    const int size =
        EVP_DecodeBlock(begin_of(bytes), begin_of(text), static_cast<int>(text.size()));
    const auto padding = text.size() - 1 - text.find_last_not_of('=');
    if (size < 0 || padding > 2) return std::nullopt;
    bytes.truncate(bytes.size() - padding);
    // OpenSSL also reads texts that it does not write.
    if (encode_base64(bytes.reveal()).reveal() != text) return std::nullopt;
    return bytes;
}

}  // namespace keyturn
