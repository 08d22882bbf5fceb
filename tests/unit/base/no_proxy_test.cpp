#include "base/no_proxy.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

bool without(const std::string& entry, const std::string& host, const std::string& port = "443") {
    EXPECT_TRUE(check_no_proxy(entry)) << entry;
    return is_without_proxy({host, port, true}, entry);
}

TEST(NoProxy, KnowsNames) {
    EXPECT_TRUE(without("api.example.com", "api.example.com"));
    EXPECT_TRUE(without("API.Example.com", "api.example.COM"));
    EXPECT_TRUE(without("example.com", "api.example.com"));
    EXPECT_FALSE(without("example.com", "badexample.com"));
    EXPECT_FALSE(without("api.example.com", "example.com"));
    EXPECT_FALSE(without("example.org", "example.com"));
}

TEST(NoProxy, KnowsDomains) {
    for (const char* entry : {".example.com", "*.example.com"}) {
        EXPECT_TRUE(without(entry, "api.example.com"));
        EXPECT_TRUE(without(entry, "a.b.example.com"));
        EXPECT_FALSE(without(entry, "example.com"));
    }
}

TEST(NoProxy, KnowsAStarForEverything) {
    EXPECT_TRUE(without("*", "api.example.com"));
    EXPECT_TRUE(without("*", "192.0.2.1"));
}

TEST(NoProxy, KnowsAddressesAndNetworks) {
    EXPECT_TRUE(without("192.0.2.7", "192.0.2.7"));
    EXPECT_FALSE(without("192.0.2.7", "192.0.2.8"));
    EXPECT_TRUE(without("192.0.2.0/25", "192.0.2.127"));
    EXPECT_FALSE(without("192.0.2.0/25", "192.0.2.128"));
    EXPECT_TRUE(without("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(without("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(without("2001:db8::/32", "2001:db8:ffff::1"));
    EXPECT_FALSE(without("2001:db8::/32", "2001:db9::1"));
    EXPECT_TRUE(without("2001:db8:0::1", "2001:db8::1"));
    // A name is not looked up for the list.
    EXPECT_FALSE(without("0.0.0.0/0", "api.example.com"));
    EXPECT_FALSE(without("7", "192.0.2.7"));
}

TEST(NoProxy, KnowsPorts) {
    EXPECT_TRUE(without("example.com:8443", "example.com", "8443"));
    EXPECT_FALSE(without("example.com:8443", "example.com", "443"));
    EXPECT_TRUE(without("[2001:db8::1]:8443", "2001:db8::1", "8443"));
    EXPECT_FALSE(without("[2001:db8::1]:8443", "2001:db8::1", "443"));
    EXPECT_TRUE(without("[2001:db8::1]", "2001:db8::1", "443"));
}

TEST(NoProxy, RefusesWhatItDoesNotUnderstand) {
    for (const std::string entry :
         {"", ".", "*.", "**", "a b", "http://example.com", "192.0.2.0/33", "192.0.2.0/",
          "example.com/24", "192.0.2.0/-1", "[::1", "[::1]x", "example.com:", "example.com:0",
          "example.com:99999", "a..b", "-", "user@example.com"}) {
        EXPECT_FALSE(check_no_proxy(entry)) << entry;
        EXPECT_FALSE(is_without_proxy({"example.com", "443", true}, entry)) << entry;
    }
    EXPECT_FALSE(check_no_proxy(std::string(300, 'a')));
    EXPECT_FALSE(check_no_proxy(std::string("10.0.0.1\0", 9)));
}

}  // namespace
}  // namespace keyturn
