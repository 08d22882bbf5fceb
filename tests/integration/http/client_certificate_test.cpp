#include "fakes/sandbox.hpp"
#include "http/tls_context.hpp"
#include "integration/peers/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <memory>
#include <sys/stat.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_files::put;

class ClientCertificate : public testing::Test {
  protected:
    ClientCertificate() {
        put(files.cert_file, identity.certificate, 0644);
        put(files.key_file, identity.key);
    }

    void expect_fault(Fault fault, const std::string& text) {
        const auto context = make_tls_context(files);
        ASSERT_FALSE(context);
        EXPECT_EQ(context.error().fault, fault) << context.error().text;
        EXPECT_THAT(context.error().text, HasSubstr(text));
        EXPECT_THAT(context.error().text, Not(HasSubstr("PRIVATE KEY")));
    }

    testing_files::Sandbox sandbox;
    Identity identity = make_identity(CertificateWish());
    TlsFiles files{"", sandbox / "client.pem", sandbox / "client.key"};
};

TEST_F(ClientCertificate, IsShown) {
    const auto context = make_tls_context(files);
    ASSERT_TRUE(context) << context.error().text;
    EXPECT_NE(SSL_CTX_get0_certificate((*context)->native_handle()), nullptr);
    EXPECT_EQ(SSL_CTX_check_private_key((*context)->native_handle()), 1);
    const auto none = make_tls_context({});
    ASSERT_TRUE(none);
    EXPECT_EQ(SSL_CTX_get0_certificate((*none)->native_handle()), nullptr);
}

TEST_F(ClientCertificate, NeedsAPrivateKeyThatIsPrivate) {
    for (const mode_t mode : {0640U, 0604U, 0660U}) {
        ASSERT_EQ(::chmod(files.key_file.c_str(), mode), 0);
        expect_fault(Fault::denied, "run: chmod 600 " + files.key_file);
    }
    ASSERT_EQ(::chmod(files.key_file.c_str(), 0400), 0);
    EXPECT_TRUE(make_tls_context(files));
    ASSERT_EQ(::chmod(sandbox.path().c_str(), 0777), 0);
    expect_fault(Fault::denied, "writable by everybody");
    ASSERT_EQ(::chmod(sandbox.path().c_str(), 0700), 0);
}

TEST_F(ClientCertificate, IsRefusedWithTheNameOfTheFile) {
    put(files.key_file, "no key");
    expect_fault(Fault::invalid, files.key_file + " is not a private key in PEM");
    put(files.key_file, make_identity(CertificateWish()).key);
    expect_fault(Fault::invalid, "does not belong to cert_file");
    ::unlink(files.key_file.c_str());
    expect_fault(Fault::invalid, "cannot open key_file " + files.key_file);
    put(files.cert_file, "no certificate");
    expect_fault(Fault::invalid, "cannot read cert_file " + files.cert_file);
    files.cert_file.clear();
    expect_fault(Fault::invalid, "need each other");
}

TEST_F(ClientCertificate, HasNoPassPhrase) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> in(
        BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size())), &BIO_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new_file(files.key_file.c_str(), "w"),
                                                        &BIO_free);
    std::string phrase = "hunter2";
    ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), phrase.data(),
                                            static_cast<int>(phrase.size()), nullptr, nullptr),
              1);
    BIO_flush(out.get());
    expect_fault(Fault::invalid, "has a pass phrase");
}

}  // namespace
}  // namespace keyturn
