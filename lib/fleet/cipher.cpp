#include "fleet/cipher.hpp"

#include "base/invariant.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>

namespace keyturn {
namespace {

constexpr std::size_t sha256_size = 32;

struct FreeKdf {
    void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
    void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* begin_of(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* begin_of(Secret& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

/// OpenSSL only reads it.
OSSL_PARAM parameter(const char* name, std::string_view bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

CipherContext context_for(const Secret& key, std::string_view nonce, bool sealing) {
    invariant(key.size() == gcm_key_size && nonce.size() == gcm_nonce_size,
              "AES-256-GCM has keys of 32 bytes and nonces of 12");
    CipherContext context(EVP_CIPHER_CTX_new());
    const int done = EVP_CipherInit_ex2(context.get(), EVP_aes_256_gcm(), begin_of(key.reveal()),
                                        begin_of(nonce), sealing ? 1 : 0, nullptr);
    invariant(done == 1, "AES-256-GCM is always available");
    return context;
}

/// Without an output: additional data.
void update(const CipherContext& context, unsigned char* output, std::string_view bytes) {
    int size = 0;
    const int done = EVP_CipherUpdate(context.get(), output, &size, begin_of(bytes),
                                      static_cast<int>(bytes.size()));
    invariant(done == 1 && size == static_cast<int>(bytes.size()), "GCM keeps nothing back");
}

}  // namespace

Secret hkdf_sha256(const Secret& key, std::string_view info, std::size_t size) {
    const std::unique_ptr<EVP_KDF, FreeKdf> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const std::unique_ptr<EVP_KDF_CTX, FreeKdf> context(EVP_KDF_CTX_new(kdf.get()));
    std::string digest = "SHA256";
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        parameter(OSSL_KDF_PARAM_KEY, key.reveal()), parameter(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end()};
    Secret derived(size);
    const int done = EVP_KDF_derive(context.get(), begin_of(derived), size, parameters.data());
    invariant(done == 1, "HKDF is always available");
    return derived;
}

std::string hmac_sha256_hex(const Secret& key, std::string_view text) {
    std::array<unsigned char, sha256_size> mac{};
    std::size_t size = 0;
    const unsigned char* const done =
        EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.reveal().data(), key.size(),
                  begin_of(text), text.size(), mac.data(), mac.size(), &size);
    invariant(done != nullptr && size == mac.size(), "HMAC is always available");
    return fmt::format("{:02x}", fmt::join(mac, ""));
}

std::string gcm_seal(const Secret& key, std::string_view nonce, std::string_view additional,
                     const Secret& text) {
    const CipherContext context = context_for(key, nonce, true);
    std::string sealed(text.size() + gcm_tag_size, '\0');
    auto* const output = reinterpret_cast<unsigned char*>(sealed.data());
    update(context, nullptr, additional);
    update(context, output, text.reveal());
    int size = 0;
    const bool ended = EVP_CipherFinal_ex(context.get(), output + text.size(), &size) == 1;
    const bool tagged =
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(gcm_tag_size),
                            output + text.size()) == 1;
    invariant(ended && size == 0 && tagged, "GCM ends with a tag");
    return sealed;
}

std::optional<Secret> gcm_open(const Secret& key, std::string_view nonce,
                               std::string_view additional, std::string_view sealed) {
    if (sealed.size() < gcm_tag_size || nonce.size() != gcm_nonce_size) return std::nullopt;
    std::string tag(sealed.substr(sealed.size() - gcm_tag_size));
    sealed.remove_suffix(gcm_tag_size);
    const CipherContext context = context_for(key, nonce, false);
    Secret text(sealed.size());
    update(context, nullptr, additional);
    update(context, begin_of(text), sealed);
    const bool tagged = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG,
                                            static_cast<int>(tag.size()), tag.data()) == 1;
    invariant(tagged, "GCM takes a tag");
    int size = 0;
    unsigned char none = 0;
    if (EVP_CipherFinal_ex(context.get(), &none, &size) != 1) return std::nullopt;
    return text;
}

}  // namespace keyturn
