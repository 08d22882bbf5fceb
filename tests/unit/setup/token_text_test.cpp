#include "setup/token_text.hpp"

#include <gmock/gmock.h>

#include <string>

namespace keyturn {
namespace {

constexpr std::string_view id = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";

TunnelToken token_of(char filler) {
    TunnelToken token;
    token.account = "699d98642c564d2e855e9661899b7252";
    token.tunnel = id;
    token.secret = Secret::copy_of(std::string(secret_size_min, filler));
    return token;
}

std::string text_of(const TunnelToken& token) {
    const Secret text = encode_token(token);
    return std::string(text.reveal());
}

/// A layout of the field, with the token's text in the middle.
struct Layout {
    const char* name;
    const char* before;
    const char* after;
};

constexpr Layout layouts[] = {
    {"token file", "", ""},
    {"token file with a line end", "", "\n"},
    {"unit", "[Service]\nExecStart=/usr/bin/cloudflared tunnel run --token ", "\nRestart=always\n"},
    {"unit, with =", "ExecStart=/usr/bin/cloudflared tunnel run --token=", "\n"},
    {"environment", "# eyJ is how it begins\nTUNNEL_TOKEN=", "\nOTHER=1\n"},
    {"quoted environment", "Environment=\"TUNNEL_TOKEN=", "\" A=b\n"},
    {"config.yml", "tunnel: x\ntoken: '", "'\ningress: []\n"},
    {"shell", "exec cloudflared tunnel run --token \"", "\""},
};

TEST(TokenText, FindsAndReplacesInEveryLayout) {
    const TunnelToken old_token = token_of('a');
    const TunnelToken new_token = token_of('b');
    for (const Layout& layout : layouts) {
        const std::string text = layout.before + text_of(old_token) + layout.after;
        const auto found = find_token(text);
        ASSERT_TRUE(found) << layout.name;
        EXPECT_TRUE(same_token(found->token, old_token)) << layout.name;
        const std::string replaced{with_token(text, *found, new_token).reveal()};
        EXPECT_EQ(replaced, layout.before + text_of(new_token) + layout.after) << layout.name;
    }
}

std::string credentials(const TunnelToken& token, const char* rest) {
    const Secret secret = encode_secret(token.secret);
    return R"({"AccountTag": "699d98642c564d2e855e9661899b7252", "TunnelSecret": ")" +
           std::string(secret.reveal()) + "\"" + rest + "}\n";
}

TEST(TokenText, ReplacesTheSecretOfCredentialsJson) {
    const TunnelToken old_token = token_of('a');
    const TunnelToken new_token = token_of('b');
    const char* rest = R"(, "TunnelID": "F70FF985-a4ef-4643-bbbc-4a0ed4fc8415")";
    const auto found = find_token(credentials(old_token, rest));
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->credentials_json);
    EXPECT_TRUE(same_token(found->token, old_token));
    EXPECT_EQ(with_token(credentials(old_token, rest), *found, new_token).reveal(),
              credentials(new_token, rest));
}

TEST(TokenText, OldCredentialsHaveNoTunnelId) {
    EXPECT_FALSE(find_token(credentials(token_of('a'), "")));
    EXPECT_TRUE(find_token(credentials(token_of('a'), ""), id));
}

TEST(TokenText, FindsTheOneThatIsMeant) {
    const TunnelToken first = token_of('a');
    const TunnelToken second = token_of('b');
    const std::string text = text_of(first) + "\n# " + text_of(second);
    const auto found = find_token_with(text, fingerprint_of(second));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->begin, text_of(first).size() + 3);
    EXPECT_FALSE(find_token_with(text, "0123456789abcdef"));
}

TEST(TokenText, WhatIsNoToken) {
    for (const char* text : {"", "eyJ", "eyJhIjoxfQ==", "--token ${TUNNEL_TOKEN}", "{}"})
        EXPECT_FALSE(find_token(text)) << text;
    const std::string inside = "x" + text_of(token_of('a'));
    EXPECT_FALSE(find_token(inside)) << "part of a longer word";
}

}  // namespace
}  // namespace keyturn
