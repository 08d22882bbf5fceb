#include "base/url.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(Url, TakesApartWhatPoliciesHold) {
    const auto url = parse_url("https://api.cloudflare.com/client/v4");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->origin.host, "api.cloudflare.com");
    EXPECT_EQ(url->origin.port, "443");
    EXPECT_TRUE(url->origin.tls);
    EXPECT_EQ(url->base_path, "/client/v4");
}

TEST(Url, TakesApartTheUrlOfAProxy) {
    const auto proxy = parse_proxy_url("http://proxy.example.com:3128/");
    ASSERT_TRUE(proxy);
    EXPECT_EQ(*proxy, (HttpOrigin{"proxy.example.com", "3128", false}));
    EXPECT_EQ(parse_proxy_url("http://192.0.2.1")->port, "80");
    EXPECT_EQ(parse_proxy_url("http://[2001:db8::1]:1")->host, "2001:db8::1");
    for (const std::string text :
         {"", "proxy.example.com:3128", "https://proxy.example.com:3128", "http://", "http://:3128",
          "http://user@proxy", "http://proxy/path", "http://proxy:0", "http://proxy:x",
          "http://[::1", "http://pro xy", "http://proxy?x", "http://proxy#x"}) {
        const auto refused = parse_proxy_url(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().fault, Fault::invalid);
    }
}

TEST(Url, AcceptsPortsAddressesAndSlashes) {
    struct Case {
        std::string text;
        HttpUrl url;
    };
    const Case cases[] = {
        {"https://example.com", {{"example.com", "443", true}, ""}},
        {"https://example.com/", {{"example.com", "443", true}, ""}},
        {"https://example.com:8443/base//", {{"example.com", "8443", true}, "/base"}},
        {"https://192.0.2.7:1/x", {{"192.0.2.7", "1", true}, "/x"}},
        {"https://[2001:db8::1]/x", {{"2001:db8::1", "443", true}, "/x"}},
        {"http://127.0.0.1:4010", {{"127.0.0.1", "4010", false}, ""}},
        {"http://[::1]:80/", {{"::1", "80", false}, ""}},
        {"http://localhost", {{"localhost", "80", false}, ""}},
    };
    for (const auto& test : cases) {
        const auto url = parse_url(test.text);
        ASSERT_TRUE(url) << test.text;
        EXPECT_EQ(*url, test.url) << test.text;
    }
}

TEST(Url, RefusesWhatItCouldOnlyGuess) {
    const std::string refused[] = {
        "",
        "api.cloudflare.com",
        "ftp://example.com",
        "HTTPS//example.com",
        "https://",
        "https:///path",
        "https://user:password@example.com/",
        "https://example.com/?a=b",
        "https://example.com/#x",
        "https://example.com?x",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:12x/",
        "https://example.com:/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://example.com\r\n/",
        "https://[::1/",
        "https://[example.com]/",
        "https://[::1]x/",
        "https://[fe80::1%eth0]/",
        std::string("https://[::1\0x]/", 17),
        "https://[fe80::1%1\r\nX: y]/",
        "https://::1/",
        "https://-a.example/",
        "http://example.com/",
        "http://192.0.2.1/",
        "https://" + std::string(254, 'a'),
        "https://example.com/" + std::string(4'000, 'a'),
    };
    for (const auto& text : refused) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().fault, Fault::invalid) << text;
    }
}

TEST(Url, NeverRepeatsAPasswordFromTheText) {
    const auto url = parse_url("https://user:hunter2@example.com/");
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().text.find("hunter2"), std::string::npos);
}

TEST(Url, KnowsLoopback) {
    for (const auto* host : {"127.0.0.1", "127.9.8.7", "::1", "localhost"}) {
        EXPECT_TRUE(is_loopback(host)) << host;
    }
    for (const auto* host : {"", "10.0.0.1", "0.0.0.0", "::", "localhost.example", "128.0.0.1"}) {
        EXPECT_FALSE(is_loopback(host)) << host;
    }
}

TEST(Url, WritesAuthorities) {
    EXPECT_EQ(authority_of({"example.com", "443", true}), "example.com");
    EXPECT_EQ(authority_of({"example.com", "443", false}), "example.com:443");
    EXPECT_EQ(authority_of({"::1", "80", false}), "[::1]");
    EXPECT_EQ(authority_of({"::1", "8080", false}), "[::1]:8080");
}

TEST(Url, EncodesAPathSegment) {
    EXPECT_EQ(path_segment("f70ff985-a4ef"), "f70ff985-a4ef");
    EXPECT_EQ(path_segment("../a?b#c d\n\xff"), "..%2Fa%3Fb%23c%20d%0A%FF");
}

}  // namespace
}  // namespace keyturn
