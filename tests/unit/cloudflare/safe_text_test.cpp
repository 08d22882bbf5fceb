#include "cloudflare/safe_text.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

constexpr std::size_t enough = 500;

TEST(SafeText, LeavesOrdinaryMessagesAlone) {
    for (const auto* text :
         {"", "Authentication error", "Could not route, perhaps your object identifier is invalid?",
          "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415", "699d98642c564d2e855e9661899b7252",
          "More than 1200 requests per 300 seconds reached."}) {
        EXPECT_EQ(safe_text(text, enough), text);
    }
}

TEST(SafeText, RedactsWhatCouldBeACredential) {
    struct Case {
        std::string text;
        std::string safe;
    };
    const Case cases[] = {
        {"token eyJhIjoi is bad", "token [redacted] is bad"},
        {"token=eyJhIjoi.", "[redacted]."},
        {"cfat_x!", "[redacted]!"},
        {"cfut_0123", "[redacted]"},
        {"secret " + std::string(44, 'A') + " too short", "secret [redacted] too short"},
        {"'AAAAAAAAAAAAAAAAAAAA/AAAAAAAAAAAAAAAAAAAA+AA='", "'[redacted]'"},
        {"AAAAAAAAAAAAAAAAAAAA%2FAAAAAAAAAAAAAAAAAA%3D", "[redacted]"},
        {"AAAAAAAAAAAAAAAAAAAA\\/AAAAAAAAAAAAAAAAAA", "[redacted]"},
        {"v0123456789-0123456789-0123456789_012345", "[redacted]"},
    };
    for (const auto& test : cases) EXPECT_EQ(safe_text(test.text, enough), test.safe) << test.text;
}

TEST(SafeText, RemovesControlCharactersAndWhatIsNotAscii) {
    EXPECT_EQ(safe_text(std::string_view("a\0b\nc\x1b[31md\x7f", 12), enough), "a?b?c?[31md?");
    EXPECT_EQ(safe_text("caf\xc3\xa9 \xe2\x80\xae", enough), "caf?? ???");
}

TEST(SafeText, IsBounded) {
    EXPECT_EQ(safe_text("a b c d e", 5), "a b c...");
    EXPECT_EQ(safe_text("a b c", 5), "a b c");
    // A credential is not let through by being cut off.
    EXPECT_EQ(safe_text(std::string(100, 'A'), 4), "[red...");
}

}  // namespace
}  // namespace keyturn
