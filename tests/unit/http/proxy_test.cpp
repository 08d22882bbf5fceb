#include "http/proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

std::shared_ptr<const HttpProxy> proxy_of(std::string_view https_proxy,
                                          std::string_view no_proxy = {}) {
    const ProxyChoice choice = proxy_in({https_proxy, no_proxy});
    EXPECT_TRUE(choice) << (choice ? "" : choice.error().text);
    return choice ? *choice : nullptr;
}

TEST(ProxyOfTheEnvironment, IsNoneWithoutTheVariable) {
    const ProxyChoice choice = proxy_in({"", "example.com"});
    ASSERT_TRUE(choice);
    EXPECT_EQ(*choice, nullptr);
}

TEST(ProxyOfTheEnvironment, IsReadAsAdministratorsWriteIt) {
    for (const std::string_view text : {"http://proxy.example:3128", "http://proxy.example:3128/",
                                        "proxy.example:3128", "HTTP://proxy.example:3128"}) {
        const auto proxy = proxy_of(text);
        ASSERT_TRUE(proxy) << text;
        EXPECT_EQ(proxy->origin, (HttpOrigin{"proxy.example", "3128", false})) << text;
        EXPECT_TRUE(proxy->login.empty());
        EXPECT_EQ(name_of(*proxy), "the proxy proxy.example:3128");
    }
    EXPECT_EQ(proxy_of("http://proxy.example")->origin.port, "80");
    EXPECT_EQ(proxy_of("http://[2001:db8::1]:8080")->origin.host, "2001:db8::1");
}

TEST(ProxyOfTheEnvironment, MayHaveALogin) {
    const auto login_in = [](std::string_view text) {
        return std::string(proxy_of(text)->login.reveal());
    };
    EXPECT_EQ(login_in("http://robot:sesame@proxy.example:3128"), "robot:sesame");
    EXPECT_EQ(login_in("http://robot:s%40me%3a%2F@proxy.example:3128"), "robot:s@me:/");
    EXPECT_EQ(login_in("http://robot:s@me@proxy.example:3128"), "robot:s@me");
    EXPECT_EQ(login_in("robot@proxy.example:3128"), "robot:");
}

TEST(ProxyOfTheEnvironment, NeverQuotesWhatItCannotUse) {
    for (const std::string_view text :
         {"https://robot:sesame@proxy.example:3128", "socks5://robot:sesame@proxy.example",
          "http://robot:sesame%@proxy.example", "http://robot:sesame%4@proxy.example",
          "http://robot:sesame%zz@proxy.example", "http://robot:sesame@", "http://robot:sesame",
          "http://robot:sesame@proxy.example/path", "robot:sesame@proxy.example:99999"}) {
        const ProxyChoice choice = proxy_in({text, ""});
        ASSERT_FALSE(choice) << text;
        EXPECT_EQ(choice.error().fault, Fault::denied) << text;
        EXPECT_THAT(choice.error().text, HasSubstr("HTTPS_PROXY in the environment")) << text;
        EXPECT_THAT(choice.error().text, Not(HasSubstr("sesame"))) << text;
    }
}

TEST(ProxyOfTheEnvironment, HasItsExceptions) {
    const auto proxy =
        proxy_of("http://proxy.example:3128", " localhost, .corp.example,,10.0.0.0/8");
    EXPECT_THAT(proxy->no_proxy, testing::ElementsAre("localhost", ".corp.example", "10.0.0.0/8"));
    EXPECT_TRUE(needs_proxy({"api.example.com", "443", true}, proxy->no_proxy));
    EXPECT_FALSE(needs_proxy({"api.corp.example", "443", true}, proxy->no_proxy));
    EXPECT_FALSE(needs_proxy({"10.1.2.3", "443", true}, proxy->no_proxy));
}

TEST(NeedsProxy, KeepsToThisHostWhatBelongsThere) {
    EXPECT_TRUE(needs_proxy({"api.example.com", "443", true}, {}));
    EXPECT_FALSE(needs_proxy({"localhost", "443", true}, {}));
    EXPECT_FALSE(needs_proxy({"127.0.0.1", "443", true}, {}));
    EXPECT_FALSE(needs_proxy({"::1", "443", true}, {}));
    // /ready of a connector, at an address of this host.
    EXPECT_FALSE(needs_proxy({"192.0.2.1", "20241", false}, {}));
}

}  // namespace
}  // namespace keyturn
