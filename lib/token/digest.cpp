#include "token/digest.hpp"

#include "base/invariant.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace keyturn {
namespace {

std::string to_hex(const unsigned char* bytes, std::size_t size) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(size * 2);
    for (std::size_t i = 0; i < size; ++i) {
        text += digits[bytes[i] >> 4U];
        text += digits[bytes[i] & 0x0fU];
    }
    return text;
}

}  // namespace

std::string sha256_hex(std::initializer_list<std::string_view> pieces) {
    // EVP_MD_CTX_free cleanses the context, so nothing of a secret remains.
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
    for (const std::string_view piece : pieces) {
        done = done && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    done = done && EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1;
    invariant(done, "SHA-256 is always available");
    return to_hex(digest.data(), size);
}

}  // namespace keyturn
