#include "setup/config_line.hpp"

#include <gmock/gmock.h>

#include <string>

namespace keyturn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TunnelToken token_of(char filler) {
    TunnelToken token;
    token.account = "699d98642c564d2e855e9661899b7252";
    token.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    token.secret = Secret::copy_of(std::string(secret_size_min, filler));
    return token;
}

std::string configuration(char filler) {
    const Secret text = encode_token(token_of(filler));
    return "# mine\ntoken: \"" + std::string(text.reveal()) +
           "\"  # from the dashboard\n"
           "ingress: []\n";
}

TEST(ConfigLine, IsTakenOutAndPutBackWithAnotherToken) {
    const Secret without = without_token_line(configuration('a'));
    EXPECT_THAT(std::string(without.reveal()), Not(HasSubstr("eyJ")));
    EXPECT_THAT(std::string(without.reveal()), HasSubstr("\n#keyturn token: \""));
    EXPECT_EQ(with_token_line(without.reveal(), token_of('b')).reveal(), configuration('b'));
    EXPECT_EQ(without_token_line(without.reveal()).reveal(), without.reveal());
}

TEST(ConfigLine, OtherTextsStay) {
    EXPECT_EQ(without_token_line("tunnel: x\n").reveal(), "tunnel: x\n");
    EXPECT_EQ(with_token_line("tunnel: x\n", token_of('a')).reveal(), "tunnel: x\n");
    EXPECT_EQ(with_token_line("#keyturn is great\n", token_of('a')).reveal(),
              "#keyturn is great\n");
}

}  // namespace
}  // namespace keyturn
