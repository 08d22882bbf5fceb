#include "http/tunnel_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::HasSubstr;

const HttpOrigin api{"api.cloudflare.com", "443", true};

HttpProxy proxy_with(const std::string& login) {
    HttpProxy proxy;
    proxy.origin = {"proxy.example", "3128", false};
    proxy.login = Secret::copy_of(login);
    proxy.login_place = "`credential` of `proxy`";
    return proxy;
}

std::string request_with(const std::string& login, const HttpOrigin& target = api) {
    const auto text = tunnel_request(target, proxy_with(login), "keyturn/1");
    return text ? std::string(text->reveal()) : "error: " + text.error().text;
}

TEST(TunnelRequest, NamesTheServerWithItsPort) {
    EXPECT_EQ(request_with(""),
              "CONNECT api.cloudflare.com:443 HTTP/1.1\r\nHost: api.cloudflare.com:443\r\n"
              "User-Agent: keyturn/1\r\n\r\n");
    EXPECT_THAT(request_with("", {"2001:db8::1", "8443", true}),
                testing::StartsWith("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n"));
}

TEST(TunnelRequest, CarriesTheLoginInBase64) {
    // RFC 7617, section 2, and a length for each kind of padding.
    EXPECT_THAT(request_with("Aladdin:open sesame"),
                HasSubstr("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"));
    EXPECT_THAT(request_with("a:bc"), HasSubstr(" YTpiYw==\r\n"));
    EXPECT_THAT(request_with("a:bcd"), HasSubstr(" YTpiY2Q=\r\n"));
    EXPECT_THAT(request_with("a:bcde"), HasSubstr(" YTpiY2Rl\r\n"));
}

TEST(TunnelRequest, RefusesALoginThatIsNone) {
    for (const std::string& login : {std::string("a:b\r\nX: y"), std::string(2000, 'a')}) {
        const auto text = tunnel_request(api, proxy_with(login), "keyturn/1");
        ASSERT_FALSE(text);
        EXPECT_EQ(text.error().fault, Fault::denied);
        EXPECT_THAT(text.error().text, HasSubstr("`credential` of `proxy`"));
    }
}

TEST(TunnelAnswer, WaitsForTheEndOfItsHead) {
    const std::string answer = "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n";
    for (std::size_t size = 0; size < answer.size(); ++size) {
        EXPECT_FALSE(read_tunnel_answer(answer.substr(0, size), api, proxy_with(""))) << size;
    }
    const auto whole = read_tunnel_answer(answer, api, proxy_with(""));
    ASSERT_TRUE(whole);
    EXPECT_TRUE(*whole);
}

TEST(TunnelAnswer, KnowsGarbageBeforeItsEnd) {
    for (const std::string_view bytes : {"X", "HTTP/2", "http/1.1", "\r\n"}) {
        const auto judged = read_tunnel_answer(bytes, api, proxy_with(""));
        ASSERT_TRUE(judged) << bytes;
        EXPECT_EQ(judged->error().text,
                  "the proxy proxy.example:3128 does not answer as an HTTP proxy does");
    }
}

TEST(TunnelAnswer, KnowsHowTinyproxyRefusesALogin) {
    const auto refused = read_tunnel_answer(
        "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Tinyproxy\"\r\n\r\n", api,
        proxy_with("a:b"));
    ASSERT_TRUE(refused && !*refused);
    EXPECT_EQ(refused->error().fault, Fault::denied);
    EXPECT_THAT(refused->error().text, HasSubstr("user or the password (HTTP 401): correct"));
}

TEST(TunnelAnswer, NeedsABasicLoginAmongThoseThatTheProxyOffers) {
    const std::string mixed =
        "HTTP/1.1 407 x\r\nproxy-authenticate: NTLM\r\nPROXY-AUTHENTICATE: BASIC "
        "realm=\"a\"\r\n\r\n";
    const auto basic = read_tunnel_answer(mixed, api, proxy_with("a:b"));
    ASSERT_TRUE(basic && !*basic);
    EXPECT_THAT(basic->error().text, HasSubstr("does not accept the user or the password"));
    const auto other = read_tunnel_answer("HTTP/1.1 407 x\r\nProxy-Authenticate: Kerberos\r\n\r\n",
                                          api, proxy_with("a:b"));
    ASSERT_TRUE(other && !*other);
    EXPECT_THAT(other->error().text, HasSubstr("another kind than Basic"));
    EXPECT_EQ(other->error().fault, Fault::denied);
}

}  // namespace
}  // namespace keyturn
