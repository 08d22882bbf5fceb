#include "json/json.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

std::string refusal(std::string_view text) {
    const auto document = parse_json(text);
    return document ? "accepted" : document.error().text;
}

std::string nested(int depth) {
    const auto count = static_cast<std::size_t>(depth);
    return std::string(count, '[') + std::string(count, ']');
}

TEST(Json, AcceptsJson) {
    for (const auto* text : {"{}", " [1, 2.5, -3, true, null, \"x\"] ", "\"\\u00e9\\\"[\"", "0",
                             R"({"a":{"b":1},"b":{"b":1}})", R"([{"a":1},{"a":1}])"}) {
        EXPECT_EQ(refusal(text), "accepted") << text;
    }
}

TEST(Json, RefusesWhatIsNotJson) {
    const std::string_view refused[] = {"",
                                        "   ",
                                        "{",
                                        "{\"a\":}",
                                        "{} x",
                                        "{'a':1}",
                                        "[1,]",
                                        "nul",
                                        "\"\xff\"",
                                        "\"\n\"",
                                        std::string_view("\"a\0b\"", 5),
                                        std::string_view("{}\0", 3),
                                        std::string_view("{}\0{\"token\":1}", 14),
                                        std::string_view("\0{}", 3),
                                        "\xef\xbb\xbfx",
                                        "1e999999x"};
    for (const auto& text : refused) EXPECT_EQ(refusal(text), "the answer is not JSON") << text;
}

TEST(Json, NamesAnHtmlPage) {
    EXPECT_EQ(refusal("\r\n <!DOCTYPE html><html>"), "the answer is an HTML page");
}

TEST(Json, RefusesDeepNestingBeforeBuildingIt) {
    EXPECT_EQ(refusal(nested(json_depth_max)), "accepted");
    EXPECT_EQ(refusal(nested(json_depth_max + 1)), "the answer is nested too deeply");
    EXPECT_EQ(refusal(std::string(1'000'000, '[')), "the answer is nested too deeply");
    std::string objects;
    for (int i = 0; i < 10'000; ++i) objects += R"({"a":)";
    EXPECT_EQ(refusal(objects), "the answer is nested too deeply");
}

TEST(Json, CountsNoBracketsInsideStrings) {
    EXPECT_EQ(refusal('"' + std::string(100, '[') + '"'), "accepted");
    EXPECT_EQ(refusal("[\"" + std::string(100, '[') + R"(\"[[[[[[[[[[[[[[[["])"), "accepted");
}

TEST(Json, RefusesTooManyValues) {
    std::string many = "[0";
    for (int i = 0; i < json_values_max + 1; ++i) many += ",0";
    EXPECT_EQ(refusal(many + "]"), "the answer contains too many values");
}

TEST(Json, RefusesAKeyThatOneObjectHasTwice) {
    EXPECT_EQ(refusal(R"({"result":"a","result":"b"})"), "the answer contains a key twice");
    EXPECT_EQ(refusal(R"([{"x":{"a":1,"b":2,"a":3}}])"), "the answer contains a key twice");
    EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), "the answer contains a key twice");
}

TEST(Json, NeverRepeatsTheInput) {
    EXPECT_EQ(refusal("{\"result\": hunter2}").find("hunter2"), std::string::npos);
}

TEST(Json, LooksUpMembersOfAnything) {
    const auto document = parse_json(R"({"a":"text","b":1,"c":null})");
    ASSERT_TRUE(document);
    EXPECT_EQ(text_member(document->root, "a"), "text");
    EXPECT_EQ(text_member(document->root, "b"), "");
    EXPECT_EQ(text_member(document->root, "d"), "");
    ASSERT_NE(member(document->root, "c"), nullptr);
    EXPECT_TRUE(member(document->root, "c")->is_null());
    EXPECT_EQ(member(document->root, "d"), nullptr);
    EXPECT_EQ(member(*member(document->root, "b"), "a"), nullptr);
}

}  // namespace
}  // namespace keyturn
