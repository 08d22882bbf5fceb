#include "http/tls_context.hpp"

#include "http/client_certificate.hpp"

#include <boost/asio/ssl/verify_mode.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace keyturn {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

/// For TLS 1.2. A key that is stolen later must not open what was recorded before.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

std::string variable_or(const char* variable, const char* otherwise) {
    const char* const value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

/// "5ed36f99.0": the hash of a subject, and a number.
bool is_hash_link(std::string_view name) {
    constexpr std::string_view hex = "0123456789abcdef";
    constexpr std::size_t digits = 8;
    return name.size() > digits + 1 && name.find_first_not_of(hex) == digits &&
           name[digits] == '.' && name.find_first_not_of("0123456789", digits + 1) == name.npos;
}

/// `directories` has colons between them, as SSL_CERT_DIR.
bool has_hash_links(std::string_view directories) {
    while (!directories.empty()) {
        const std::size_t end = std::min(directories.find(':'), directories.size());
        error_code error;
        std::filesystem::directory_iterator entry(directories.substr(0, end), error);
        for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
            if (is_hash_link(entry->path().filename().native())) return true;
        }
        directories.remove_prefix(std::min(end + 1, directories.size()));
    }
    return false;
}

bool issuer_is_unknown(int error) {
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
}

/// Verifies the chain of `context` again, with the authorities in OpenSSL's bundle.
int verify_with_bundle(X509_STORE_CTX* context) {
    const std::string bundle =
        variable_or(X509_get_default_cert_file_env(), X509_get_default_cert_file());
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                        &X509_STORE_free);
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> again(
        X509_STORE_CTX_new(), &X509_STORE_CTX_free);
    const bool made =
        store && again && X509_STORE_load_file(store.get(), bundle.c_str()) == 1 &&
        X509_STORE_CTX_init(again.get(), store.get(), X509_STORE_CTX_get0_cert(context),
                            X509_STORE_CTX_get0_untrusted(context)) == 1 &&
        X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(again.get()),
                               X509_STORE_CTX_get0_param(context)) == 1;
    if (!made) return 0;
    const int verified = X509_verify_cert(again.get());
    X509_STORE_CTX_set_error(context, X509_STORE_CTX_get_error(again.get()));
    return verified;
}

int verify(X509_STORE_CTX* context, void*) {
    const int verified = X509_verify_cert(context);
    if (verified == 1 || !issuer_is_unknown(X509_STORE_CTX_get_error(context))) return verified;
    return verify_with_bundle(context);
}

/// A missing directory or bundle is no error: nothing is trusted then, which every handshake says.
void trust_what_the_host_trusts(SSL_CTX* handle) {
    const std::string directories =
        variable_or(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    if (has_hash_links(directories)) {
        SSL_CTX_load_verify_dir(handle, directories.c_str());
        SSL_CTX_set_cert_verify_callback(handle, verify, nullptr);
    } else {
        SSL_CTX_set_default_verify_paths(handle);
    }
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsFiles& files) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX* handle = context->native_handle();
    SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(handle, ciphers);
    SSL_CTX_set_options(handle,
                        SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nullptr);
    if (!files.cert_file.empty() || !files.key_file.empty()) {
        const auto shown = show_certificate(handle, files);
        if (!shown) return shown.error();
    }
    if (files.ca_file.empty()) {
        trust_what_the_host_trusts(handle);
        return context;
    }
    error_code error;
    context->load_verify_file(files.ca_file, error);
    if (error) {
        return Error{Fault::invalid,
                     fmt::format("cannot read ca_file {}: {}", files.ca_file, error.message())};
    }
    return context;
}

}  // namespace keyturn
