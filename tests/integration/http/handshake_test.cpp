#include "fakes/sandbox.hpp"
#include "http/tls_context.hpp"
#include "integration/peers/https_test.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace keyturn {
namespace {

class Handshake : public HttpsTest {
  protected:
    /// A server whose certificate is wrong gets no byte of the request, and we say why.
    void expect_refused(const CertificateWish& wish, const std::string& host,
                        const std::string& why) {
        serve(Welcome::tls, wish);
        expect_fault(send("PATCH", host), Fault::denied, why);
        EXPECT_TRUE(comes_true([&] { return server->seen().left == 1; }));
        EXPECT_EQ(server->seen().application_bytes, 0U);
        EXPECT_EQ(server->seen().connections, 1U);
    }
};

TEST_F(Handshake, AcceptsNamesAndAddresses) {
    serve();
    server->will(answer_of(200, "x"));
    server->will(answer_of(200, "x"));
    for (const auto* host : {"localhost", "127.0.0.1"}) {
        const auto outcome = send("GET", host);
        ASSERT_TRUE(outcome) << outcome.error().text;
    }
    EXPECT_THAT(server->seen().names, testing::ElementsAre("localhost", ""));
}

TEST_F(Handshake, RefusesAnExpiredCertificate) {
    CertificateWish wish;
    wish.valid_from_days = -2;
    wish.valid_to_days = -1;
    expect_refused(wish, "127.0.0.1", "certificate has expired");
}

TEST_F(Handshake, RefusesACertificateOfTomorrow) {
    CertificateWish wish;
    wish.valid_from_days = 1;
    expect_refused(wish, "127.0.0.1", "certificate is not yet valid");
}

TEST_F(Handshake, RefusesASelfSignedCertificate) {
    CertificateWish wish;
    wish.self_signed = true;
    expect_refused(wish, "127.0.0.1", "self-signed certificate");
}

TEST_F(Handshake, RefusesAnAuthorityItDoesNotKnow) {
    options.ca_file.clear();
    expect_refused({}, "127.0.0.1", "unable to get local issuer certificate");
}

TEST_F(Handshake, RefusesAnotherHostsCertificate) {
    CertificateWish wish;
    wish.names = "DNS:example.com, IP:127.0.0.1";
    expect_refused(wish, "localhost", "hostname mismatch");
}

TEST_F(Handshake, RefusesAWildcardThatDoesNotMatch) {
    CertificateWish wish;
    wish.names = "DNS:*.localhost, DNS:local*";
    expect_refused(wish, "localhost", "hostname mismatch");
}

TEST_F(Handshake, RefusesACertificateWithoutAlternativeNames) {
    CertificateWish wish;
    wish.names = "";
    expect_refused(wish, "localhost", "hostname mismatch");
}

TEST_F(Handshake, RefusesAnAddressThatIsOnlyAName) {
    CertificateWish wish;
    wish.names = "DNS:localhost, DNS:127.0.0.1, IP:127.0.0.2";
    expect_refused(wish, "127.0.0.1", "IP address mismatch");
}

TEST_F(Handshake, NeedsTheIntermediateCertificate) {
    CertificateWish wish;
    wish.intermediate = Intermediate::missing;
    expect_refused(wish, "127.0.0.1", "unable to get local issuer certificate");
    wish.intermediate = Intermediate::sent;
    serve(Welcome::tls, wish);
    server->will(answer_of(200, "x"));
    const auto outcome = send();
    EXPECT_TRUE(outcome) << outcome.error().text;
}

TEST_F(Handshake, RefusesTlsBefore12) {
    serve(Welcome::tls_1_1_only);
    expect_fault(send("PATCH"), Fault::unreachable, "TLS 1.2 or newer is needed");
    EXPECT_EQ(server->seen().handshakes, 0U);
    EXPECT_EQ(server->seen().application_bytes, 0U);
}

TEST_F(Handshake, RefusesAServerThatOnlyHasCiphersWithoutAuthentication) {
    serve(Welcome::cbc_only);
    expect_fault(send("PATCH"), Fault::unreachable, "the TLS handshake with 127.0.0.1");
    EXPECT_EQ(server->seen().handshakes, 0U);
    EXPECT_EQ(server->seen().application_bytes, 0U);
}

TEST_F(Handshake, OffersOnlyForwardSecrecyAndAuthenticatedEncryption) {
    const auto tls = make_tls_context({});
    ASSERT_TRUE(tls);
    STACK_OF(SSL_CIPHER)* offered = SSL_CTX_get_ciphers((*tls)->native_handle());
    ASSERT_GT(sk_SSL_CIPHER_num(offered), 4);
    for (int i = 0; i < sk_SSL_CIPHER_num(offered); ++i) {
        const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(offered, i);
        const int exchange = SSL_CIPHER_get_kx_nid(cipher);
        EXPECT_TRUE(exchange == NID_kx_ecdhe || exchange == NID_kx_any)
            << SSL_CIPHER_get_name(cipher);
        EXPECT_EQ(SSL_CIPHER_is_aead(cipher), 1) << SSL_CIPHER_get_name(cipher);
    }
}

TEST_F(Handshake, RefusesAServerWithoutTls) {
    options.limits.handshake = short_limit;
    serve(Welcome::plain);
    server->will({"HTTP/1.1 400 Bad Request\r\n\r\n", Ending::finish});
    expect_fault(send("PATCH"), Fault::unreachable, "did not finish the TLS handshake in time");
    EXPECT_EQ(server->seen().requests.size(), 0U);
}

TEST_F(Handshake, GivesUpOnAServerThatStalls) {
    options.limits.handshake = short_limit;
    serve(Welcome::stall);
    expect_fault(send("PATCH"), Fault::unreachable, "did not finish the TLS handshake in time");
    expect_took_short_limit();
    EXPECT_TRUE(comes_true([&] { return server->seen().left == 1; }));
}

TEST_F(Handshake, GivesUpOnAServerThatHangsUp) {
    serve(Welcome::hang_up);
    expect_fault(send("PATCH"), Fault::unreachable, "the TLS handshake with 127.0.0.1");
    EXPECT_LT(took, at_once);
}

TEST_F(Handshake, NamesAnAuthorityFileThatIsNotThere) {
    options.ca_file = "/nowhere/authority.pem";
    serve();
    expect_fault(send(), Fault::invalid, "cannot read ca_file /nowhere/authority.pem: ");
    EXPECT_EQ(server->seen().application_bytes, 0U);
}

TEST_F(Handshake, ReadsTheAuthorityFileAnewAfterARest) {
    const testing_files::Sandbox files;
    const std::string path = files / "authority.pem";
    const auto write = [&](const std::string& content) { std::ofstream(path) << content; };
    CertificateWish own;
    own.self_signed = true;
    write(make_identity(own).certificate);
    options.ca_file = path;
    serve();
    ASSERT_FALSE(send());
    write(test_authority().certificate);
    ASSERT_FALSE(send());
    client().close_idle();
    server->will(answer_of(200, "x"));
    const auto outcome = send();
    EXPECT_TRUE(outcome) << outcome.error().text;
}

/// What OpenSSL trusts, as SSL_CERT_DIR and SSL_CERT_FILE say.
class SystemTrust : public Handshake {
  protected:
    SystemTrust() {
        options.ca_file.clear();
        ::setenv("SSL_CERT_DIR", directory_.path().c_str(), 1);
        ::setenv("SSL_CERT_FILE", (directory_ / "bundle").c_str(), 1);
    }
    ~SystemTrust() override {
        ::unsetenv("SSL_CERT_DIR");
        ::unsetenv("SSL_CERT_FILE");
    }

    void write(const std::string& name, const std::string& content) const {
        testing_files::put(directory_ / name, content);
    }

    void expect_answer() {
        serve();
        server->will(answer_of(200, "x"));
        const auto outcome = send();
        EXPECT_TRUE(outcome) << outcome.error().text;
    }

    /// The name under which OpenSSL looks for the authority of the tests.
    static std::string hash_link() {
        const std::unique_ptr<BIO, decltype(&BIO_free)> file(
            BIO_new_file(test_authority_file().c_str(), "r"), &BIO_free);
        const std::unique_ptr<X509, decltype(&X509_free)> authority(
            PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
        return fmt::format("{:08x}.0", X509_subject_name_hash(authority.get()));
    }

  private:
    testing_files::Sandbox directory_;
};

TEST_F(SystemTrust, FindsTheAuthorityInADirectoryWithHashLinks) {
    write(hash_link(), test_authority().certificate);
    write("bundle", "");
    expect_answer();
}

TEST_F(SystemTrust, ReadsTheBundleWhereTheDirectoryDoesNotKnowTheIssuer) {
    CertificateWish other;
    other.self_signed = true;
    write("0123abcd.0", make_identity(other).certificate);
    write("bundle", test_authority().certificate);
    expect_answer();
}

TEST_F(SystemTrust, ReadsTheBundleWhereTheDirectoryHasNoHashLinks) {
    write("authority.pem", "");
    write("bundle", test_authority().certificate);
    expect_answer();
}

TEST_F(SystemTrust, IsNoMoreThanWhatBothHold) {
    write("0123abcd.0", "");
    write("bundle", "");
    expect_refused({}, "127.0.0.1", "unable to get local issuer certificate");
    std::filesystem::remove(std::string(::getenv("SSL_CERT_FILE")));
    expect_refused({}, "127.0.0.1", "unable to get local issuer certificate");
}

TEST_F(SystemTrust, TheBundleIsNoWayAroundTheHostName) {
    write("0123abcd.0", "");
    write("bundle", test_authority().certificate);
    CertificateWish wish;
    wish.names = "DNS:example.com, IP:127.0.0.1";
    expect_refused(wish, "localhost", "hostname mismatch");
}

}  // namespace
}  // namespace keyturn
