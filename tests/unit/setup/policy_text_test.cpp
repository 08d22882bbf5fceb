#include "setup/policy_text.hpp"

#include "policy/policy_file.hpp"

#include <gmock/gmock.h>

#include <regex>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

NewTunnel web() {
    return {"web",
            "699d98642c564d2e855e9661899b7252",
            "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415",
            "main",
            {"cloudflared.service", "cloudflared-web@*.service"}};
}

TEST(PolicyText, TheFirstPolicyAndADropInMakeAPolicy) {
    const auto outcome = parse_policy(
        {{"keyturn.yaml", first_policy()}, {"keyturn.d/web.yaml", tunnel_drop_in(web())}});
    const auto* policy = std::get_if<Policy>(&outcome);
    ASSERT_NE(policy, nullptr) << to_text(std::get<1>(outcome).front());
    ASSERT_EQ(policy->tunnels.size(), 1U);
    EXPECT_EQ(policy->tunnels.front().units, web().units);
    EXPECT_EQ(policy->tunnels.front().account, web().account);
    EXPECT_EQ(policy->tunnels.front().tunnel, web().tunnel);
    EXPECT_THAT(first_policy(), HasSubstr("# "));
}

TEST(PolicyText, NamesAreMadeFromThoseAtCloudflare) {
    EXPECT_EQ(policy_name_of("web", {}), "web");
    EXPECT_EQ(policy_name_of("My Home (old).example.com", {}), "my-home--old--example-com");
    EXPECT_EQ(policy_name_of("web", {"web", "web-2"}), "web-3");
    EXPECT_EQ(policy_name_of("--", {}), "tunnel");
    EXPECT_EQ(policy_name_of("\xc3\xa9", {}), "tunnel");
    EXPECT_EQ(policy_name_of(std::string(100, 'a'), {}).size(), 32U);
}

std::regex pattern_of(const std::string& rule) {
    std::smatch match;
    EXPECT_TRUE(std::regex_search(rule, match, std::regex(R"(var units = /(.*)/;)")));
    return std::regex(match[1].str(), std::regex::ECMAScript);
}

TEST(PolkitRule, MatchesExactlyTheseUnits) {
    const std::string rule = polkit_rule({"cloudflared.service", "a+b@*.service"});
    const std::regex units = pattern_of(rule);
    for (const char* name : {"cloudflared.service", "a+b@1.service", "a+b@x-y.service"})
        EXPECT_TRUE(std::regex_search(name, units)) << name;
    for (const char* name : {"cloudflaredxservice", "xcloudflared.service", "ssh.service",
                             "cloudflared.service.d", "aab@1.service"})
        EXPECT_FALSE(std::regex_search(name, units)) << name;
}

TEST(PolkitRule, IsOtherwiseTheOneThatShips) {
    const std::string rule = polkit_rule({"cloudflared.service"});
    EXPECT_THAT(rule, HasSubstr("var surge = /^keyturn-surge@"));
    EXPECT_THAT(rule, HasSubstr("return polkit.Result.NO;"));
    EXPECT_THAT(rule, Not(HasSubstr("cf-tunnel")));
}

}  // namespace
}  // namespace keyturn
