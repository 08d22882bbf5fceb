#include "base/visible_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

using namespace std::string_literals;

TEST(VisibleText, KeepsWhatAReaderSees) {
    for (const std::string& text :
         {""s, "plain"s, "größer → 4"s, "\xF0\x9F\x94\x91"s, "مرحبا"s, "नमस्ते"s, "\xC2\xA0"s}) {
        EXPECT_EQ(visible_text(text), text);
    }
}

TEST(VisibleText, HasNoControlCharacters) {
    EXPECT_EQ(visible_text("a\n\x1b[2J\x7f\0b"s), "a??[2J??b");
    EXPECT_EQ(visible_text("\xC2\x9B"
                           "31m"),
              "?31m");
    EXPECT_EQ(visible_text("two\nlines", ' '), "two lines");
}

TEST(VisibleText, HasNothingThatTurnsTheDirectionOfWriting) {
    for (const char* mark : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D",
                             "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
        EXPECT_EQ(visible_text("a"s + mark + "b"), "a?b");
    }
}

TEST(VisibleText, HasNothingWithoutAShape) {
    for (const char* gap :
         {"\u00AD", "\u034F", "\u115F", "\u180E", "\u200B", "\u200D", "\u2028", "\u2029", "\u2060",
          "\u3164", "\uFE0F", "\uFEFF", "\uFFF9", "\U0001D173", "\U000E0041"}) {
        EXPECT_EQ(visible_text("a"s + gap + "b"), "a?b");
    }
}

TEST(VisibleText, HasNoBytesThatAreNoUtf8) {
    EXPECT_EQ(visible_text("cut \xE2\x80"), "cut ??");
    EXPECT_EQ(visible_text("\xE2\x28\xAE"), "?(?");
    EXPECT_EQ(visible_text("\xED\xA0\x80"), "???") << "surrogate";
}

TEST(VisibleText, KnowsTheCodeOfACharacter) {
    EXPECT_EQ(first_character("a").code, U'a');
    EXPECT_EQ(first_character("\u00E9").code, U'\u00E9');
    EXPECT_EQ(first_character("\u202E").code, U'\u202E');
    EXPECT_EQ(first_character("\U0010FFFF").code, U'\U0010FFFF');
    EXPECT_EQ(first_character("\U0010FFFF").length, 4U);
}

}  // namespace
}  // namespace keyturn
