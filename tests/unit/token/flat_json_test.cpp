#include "token/flat_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

bool accepts(std::string_view text) {
    return FlatJson::read(text).has_value();
}

std::string value_of(std::string_view text, std::string_view key) {
    const Result<FlatJson> json = FlatJson::read(text);
    if (!json) return "(refused)";
    const Secret* value = json->find(key);
    return value == nullptr ? "(none)" : std::string(value->reveal());
}

TEST(FlatJson, FindsStringsAmongOtherMembers) {
    constexpr std::string_view text =
        " {\"n\" : -12.5e+3, \"a\":\"one\",\"o\":{\"a\":[1,{},\"x\",null]}, \"b\" "
        ":\t\"two\",\"t\":true}\r\n";
    EXPECT_EQ(value_of(text, "a"), "one");
    EXPECT_EQ(value_of(text, "b"), "two");
    EXPECT_EQ(value_of(text, "n"), "(none)");
    EXPECT_EQ(value_of(text, "o"), "(none)");
    EXPECT_EQ(value_of("{}", "a"), "(none)");
}

TEST(FlatJson, ReadsEveryEscape) {
    EXPECT_EQ(value_of(R"({"a":"\"\\\/\b\f\n\r\t"})", "a"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(value_of(R"({"a":"\u002B\u00e9\u20AC\ud83d\ude00"})", "a"),
              "+\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(value_of(R"({"\u0061":"x"})", "a"), "x");
    EXPECT_EQ(value_of(R"({"a":"\u0000"})", "a"), std::string(1, '\0'));
}

TEST(FlatJson, RefusesBrokenEscapes) {
    for (const char* text :
         {R"({"a":"\x"})", R"({"a":"\u12"})", R"({"a":"\u12g4"})", R"({"a":"\ud83d"})",
          R"({"a":"\ud83dx"})", R"({"a":"\ud83d\u0041"})", R"({"a":"\ude00"})", R"({"a":"\)",
          R"({"a":"\u)", R"({"a":"\ud83d\u)"}) {
        EXPECT_FALSE(accepts(text)) << text;
    }
}

TEST(FlatJson, RefusesWhatIsNoJsonObject) {
    for (const char* text : {"",
                             " ",
                             "null",
                             "\"a\"",
                             "[]",
                             "{",
                             "}",
                             "{]",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":\"b\"",
                             "{\"a\":\"b\",}",
                             "{,}",
                             "{a:\"b\"}",
                             "{\"a\":\"b\" \"c\":\"d\"}",
                             "{}{}",
                             "{} x",
                             "{\"a\":01}",
                             "{\"a\":1.}",
                             "{\"a\":-}",
                             "{\"a\":1e}",
                             "{\"a\":+1}",
                             "{\"a\":nul}",
                             "{\"a\":nullx}",
                             "{\"a\":[1,]}",
                             "{\"a\":[1}",
                             "{\"a\":{\"b\"}}",
                             "{\"a\":{1:2}}",
                             "{\"a\":\"b\nc\"}",
                             "{'a':'b'}"}) {
        EXPECT_FALSE(accepts(text)) << text;
    }
    EXPECT_FALSE(accepts(std::string_view("{}\0", 3)));
}

TEST(FlatJson, RefusesWhatIsCutOffAnywhere) {
    const std::string whole = R"({"a":"x\u0041\n","b":[1,{"c":null}],"d":"e"})";
    ASSERT_TRUE(accepts(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(accepts(whole.substr(0, size))) << size;
    }
}

TEST(FlatJson, HasLimits) {
    const auto nested = [](int depth) {
        return "{\"a\":" + std::string(static_cast<std::size_t>(depth), '[') +
               std::string(static_cast<std::size_t>(depth), ']') + "}";
    };
    EXPECT_TRUE(accepts(nested(flat_json_depth_max)));
    EXPECT_FALSE(accepts(nested(flat_json_depth_max + 1)));
    EXPECT_FALSE(accepts(nested(100'000)));
    const auto wide = [](std::size_t members) {
        std::string text = "{\"k\":\"v\"";
        for (std::size_t i = 1; i < members; ++i) text += ",\"k\":\"v\"";
        return text + "}";
    };
    EXPECT_TRUE(accepts(wide(flat_json_members_max)));
    EXPECT_FALSE(accepts(wide(flat_json_members_max + 1)));
}

TEST(FlatJson, FindsNothingWhereAKeyIsThereTwice) {
    EXPECT_EQ(value_of(R"({"a":"x","a":"y"})", "a"), "(none)");
}

TEST(FlatJson, WritesWhatItReads) {
    std::string every_byte;
    for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
    const Secret text = write_flat_json({{"a", every_byte}, {"b\"\\", ""}});
    EXPECT_EQ(value_of(text.reveal(), "a"), every_byte);
    EXPECT_EQ(value_of(text.reveal(), "b\"\\"), "");
    EXPECT_EQ(write_flat_json({{"a", "x"}, {"b", "y"}}).reveal(), R"({"a":"x","b":"y"})");
}

TEST(FlatJson, NeverQuotesTheInput) {
    const Result<FlatJson> json = FlatJson::read(R"({"a":"canary" oops})");
    ASSERT_FALSE(json);
    EXPECT_EQ(json.error().fault, Fault::invalid);
    EXPECT_EQ(json.error().text.find("canary"), std::string::npos);
    EXPECT_EQ(json.error().text.find("oops"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
