#include "wire/text.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::string_literals;

TEST(BusText, KeepsValidText) {
    for (const std::string& text : {""s, "plain"s, "größer → 4"s, "\xF0\x9F\x94\x91"s, "a\nb\x01"s,
                                    "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xF4\x8F\xBF\xBF"s}) {
        EXPECT_EQ(bus_text(text), text);
    }
}

TEST(BusText, ReplacesWhatWouldEndTheConnection) {
    EXPECT_EQ(bus_text("a\0b"s), "a?b");
    EXPECT_EQ(bus_text("a\xFF"
                       "b"),
              "a?b");
    EXPECT_EQ(bus_text("cut \xC3"), "cut ?");
    EXPECT_EQ(bus_text("cut \xE2\x86"), "cut ??");
    EXPECT_EQ(bus_text("\xC3\x41"), "?A");
    EXPECT_EQ(bus_text("\xC0\xAF"), "??") << "overlong";
    EXPECT_EQ(bus_text("\xE0\x80\xAF"), "???") << "overlong";
    EXPECT_EQ(bus_text("\xED\xA0\x80"), "???") << "surrogate";
    EXPECT_EQ(bus_text("\xF4\x90\x80\x80"), "????") << "above U+10FFFF";
    EXPECT_EQ(bus_text("\xF0\x9F\x94"
                       "x"),
              "???x");
}

TEST(OneLine, HasNoControlCharacters) {
    EXPECT_TRUE(is_one_line("laptop lost, größer"));
    EXPECT_TRUE(is_one_line(""));
    EXPECT_FALSE(is_one_line("a\nb"));
    EXPECT_FALSE(is_one_line("a\x1b[2J"));
    EXPECT_FALSE(is_one_line("\x7f"));
    EXPECT_FALSE(
        is_one_line("a\xC2\x9B"
                    "31m"));
    EXPECT_TRUE(is_one_line("\xC2\xA0"));
}

TEST(OneLine, HasNothingThatIsNotSeen) {
    EXPECT_FALSE(is_one_line("looks like \u202Esomething else"));
    EXPECT_FALSE(is_one_line("zero\u200Bwidth"));
}

}  // namespace
}  // namespace keyturn
