#include "token/base64.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

std::string encoded(std::string_view bytes) {
    return std::string(encode_base64(bytes).reveal());
}

std::string decoded(std::string_view text) {
    const std::optional<Secret> bytes = decode_base64(text);
    return bytes ? std::string(bytes->reveal()) : "(refused)";
}

TEST(Base64, EncodesTheExamplesOfTheStandard) {
    EXPECT_EQ(encoded(""), "");
    EXPECT_EQ(encoded("f"), "Zg==");
    EXPECT_EQ(encoded("fo"), "Zm8=");
    EXPECT_EQ(encoded("foo"), "Zm9v");
    EXPECT_EQ(encoded("foob"), "Zm9vYg==");
    EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
    EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
    EXPECT_EQ(encoded("\xff\xef\xbe"), "/+++");
}

TEST(Base64, DecodesWhatItEncodesForEveryByteAndLength) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(decoded(encoded(bytes)), bytes) << i << " bytes";
        bytes += static_cast<char>(255 - i % 256);
    }
}

TEST(Base64, RefusesEverythingThatItWouldNotHaveWritten) {
    for (const char* text :
         {"Z", "Zg", "Zg=", "Zm9vYg", "Zg===", "=Zg=", "====", "Zg==Zm9v", "Z===", "Zm9v\n",
          "Zm\n9v", " Zm9", "Zm-v", "Zm_v", "Zm9v====", "\xc3\xa9Zg"}) {
        EXPECT_EQ(decoded(text), "(refused)") << text;
    }
    EXPECT_EQ(decoded(std::string_view("Zm\0v", 4)), "(refused)");
}

TEST(Base64, RefusesBitsThatStandForNothing) {
    EXPECT_EQ(decoded("Zh=="), "(refused)");
    EXPECT_EQ(decoded("Zm9="), "(refused)");
    EXPECT_EQ(decoded("Zm8="), "fo");
}

TEST(Base64, IsOneToOneOnAllTextsOfFourCharacters) {
    // Each accepted text encodes back to itself, so no two texts stand for the same bytes.
    constexpr std::string_view letters = "AQgw/+9z= \n-";
    int accepted = 0;
    std::string text(4, 'A');
    for (const char a : letters) {
        for (const char b : letters) {
            for (const char c : letters) {
                for (const char d : letters) {
                    text = {a, b, c, d};
                    const std::optional<Secret> bytes = decode_base64(text);
                    if (!bytes) continue;
                    ++accepted;
                    EXPECT_EQ(encoded(bytes->reveal()), text);
                }
            }
        }
    }
    EXPECT_GT(accepted, 8 * 8 * 8 * 8);
}

}  // namespace
}  // namespace keyturn
