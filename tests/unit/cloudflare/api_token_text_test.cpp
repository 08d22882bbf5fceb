#include "cloudflare/api_token_text.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view token = "cfut_Zx81KlmNop2QrStUvWxYz0123456789abcdEFGHi";

std::string with_token(std::string text) {
    const auto mark = text.find('@');
    if (mark != std::string::npos) text.replace(mark, 1, token);
    return text;
}

TEST(ApiTokenText, IsFoundInWhateverIsHarmlessAroundIt) {
    for (const char* const text : {"@", "@\n", "@\r\n", " @ \r\n\r\n", "\xef\xbb\xbf@\r\n",
                                   "\"@\"\n", "'@'", "\" @ \"", "\xef\xbb\xbf\"@\"\r\n"}) {
        const std::string written = with_token(text);
        const auto found = find_api_token(written);
        ASSERT_TRUE(found) << text << ": " << found.error().text;
        EXPECT_EQ(*found, token) << text;
    }
}

struct Mistake {
    std::string text;
    std::string reason;
};

class WrongApiTokenText : public testing::TestWithParam<Mistake> {};

TEST_P(WrongApiTokenText, SaysWhatItIsAndNeverRepeatsIt) {
    const std::string written = with_token(GetParam().text);
    const auto found = find_api_token(written);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().fault, Fault::invalid);
    EXPECT_THAT(found.error().text, HasSubstr(GetParam().reason));
    EXPECT_THAT(found.error().text, testing::AnyOf(HasSubstr("write "), HasSubstr("save ")));
    for (const auto* secret : {"Zx81", "EFGHi", "hunter2", "NjNl"}) {
        EXPECT_THAT(found.error().text, Not(HasSubstr(secret)));
    }
}

using namespace std::string_literals;

INSTANTIATE_TEST_SUITE_P(
    Kinds, WrongApiTokenText,
    testing::Values(
        Mistake{"", "is empty"}, Mistake{" \r\n\t", "is empty"}, Mistake{"\"\"", "is empty"},
        Mistake{"\xef\xbb\xbf\r\n", "is empty"}, Mistake{"CLOUDFLARE_API_TOKEN=@\n", "NAME=value"},
        Mistake{"export CF_TOKEN=\"@\"", "NAME=value"}, Mistake{"token: @", "NAME=value"},
        Mistake{"Bearer @", "Bearer"}, Mistake{"eyJhIjoiNjNl", "a tunnel token"},
        Mistake{"'eyJhIjoiNjNl'", "a tunnel token"},
        Mistake{"TUNNEL_TOKEN=eyJhIjoiNjNl", "NAME=value"},
        Mistake{"{\"AccountTag\":\"hunter2\"}", "JSON"},
        Mistake{"-----BEGIN ARGO TUNNEL TOKEN-----\nNjNl", "PEM"},
        Mistake{"cfk_hunter2", "Global API Key"}, Mistake{"@\n@\n", "more than one line"},
        Mistake{"@ hunter2", "a blank"}, Mistake{"\"@", "another character"},
        Mistake{"@\x01", "another character"}, Mistake{"@\xc2\xa0", "another character"},
        Mistake{"\xff\xfeZ\0x\0"s, "UTF-16"}, Mistake{"hunter2\0x"s, "a blank"}));

}  // namespace
}  // namespace keyturn
