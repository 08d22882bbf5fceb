#include "integration/peers/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace keyturn {

namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(BIO* memory) const { BIO_free(memory); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void check(bool worked, const char* what) {
    if (!worked) throw std::runtime_error(std::string("cannot make a test certificate: ") + what);
}

Key make_key() {
    Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    check(key != nullptr, "the key");
    return key;
}

std::string read_all(BIO* memory) {
    char* data = nullptr;
    const auto size = BIO_ctrl(memory, BIO_CTRL_INFO, 0, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
    const std::unique_ptr<BIO, Free> memory(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_X509(memory.get(), certificate) == 1, "its text");
    return read_all(memory.get());
}

std::string pem_of(EVP_PKEY* key) {
    const std::unique_ptr<BIO, Free> memory(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "its key's text");
    return read_all(memory.get());
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    check(extension != nullptr, value.c_str());
    check(X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

void name(X509_NAME* subject, const std::string& common_name) {
    const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
    check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1,
          "its name");
}

Certificate blank(EVP_PKEY* key, const std::string& common_name, int from_days, int to_days) {
    static long serial = 0;
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_time_adj_ex(X509_getm_notBefore(certificate.get()), from_days, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(certificate.get()), to_days, 0, nullptr);
    check(X509_set_pubkey(certificate.get(), key) == 1, "its public key");
    if (!common_name.empty()) name(X509_get_subject_name(certificate.get()), common_name);
    return certificate;
}

struct Authority {
    Key key = make_key();
    Certificate certificate = blank(key.get(), "keyturn test authority", -2, 2);

    Authority() {
        X509* self = certificate.get();
        X509_set_issuer_name(self, X509_get_subject_name(self));
        extend(self, self, NID_basic_constraints, "critical,CA:TRUE");
        extend(self, self, NID_subject_key_identifier, "hash");
        check(X509_sign(self, key.get(), EVP_sha256()) > 0, "the authority's signature");
    }
};

Authority& authority() {
    static Authority the_authority;
    return the_authority;
}

/// An authority that the one above has signed, and that no client knows.
struct LowerAuthority {
    Key key = make_key();
    Certificate certificate = blank(key.get(), "keyturn test intermediate", -2, 2);

    LowerAuthority() {
        X509* issuer = authority().certificate.get();
        X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
        extend(certificate.get(), issuer, NID_basic_constraints, "critical,CA:TRUE");
        check(X509_sign(certificate.get(), authority().key.get(), EVP_sha256()) > 0,
              "the intermediate's signature");
    }
};

/// A file in a directory of its own that goes away with the program.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string& content) {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "keyturn-https-XXXXXX").string();
        check(::mkdtemp(pattern.data()) != nullptr, "its directory");
        directory_ = pattern;
        path = (directory_ / "authority.pem").string();
        std::ofstream(path) << content;
    }
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    std::string path;

  private:
    std::filesystem::path directory_;
};

}  // namespace

const Identity& test_authority() {
    static const Identity identity{pem_of(authority().certificate.get()),
                                   pem_of(authority().key.get())};
    return identity;
}

const std::string& test_authority_file() {
    static const TemporaryFile file(test_authority().certificate);
    return file.path;
}

Identity make_identity(const CertificateWish& wish) {
    const Key key = make_key();
    // The common name is the right one always: only the alternative names may count.
    const Certificate certificate =
        blank(key.get(), wish.common_name, wish.valid_from_days, wish.valid_to_days);
    X509* issuer = authority().certificate.get();
    EVP_PKEY* signer = authority().key.get();
    std::optional<LowerAuthority> lower;
    if (wish.intermediate != Intermediate::none) {
        lower.emplace();
        issuer = lower->certificate.get();
        signer = lower->key.get();
    }
    if (wish.self_signed) {
        issuer = certificate.get();
        signer = key.get();
    }
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
    if (!wish.names.empty()) extend(certificate.get(), issuer, NID_subject_alt_name, wish.names);
    check(X509_sign(certificate.get(), signer, EVP_sha256()) > 0, "its signature");
    std::string shown = pem_of(certificate.get());
    if (wish.intermediate == Intermediate::sent) shown += pem_of(lower->certificate.get());
    return {std::move(shown), pem_of(key.get())};
}

}  // namespace keyturn
