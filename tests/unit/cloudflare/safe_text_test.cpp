#include "cloudflare/safe_text.hpp"

#include <gtest/gtest.h>

#include <random>

namespace keyturn {
namespace {

constexpr std::size_t enough = 500;

TEST(SafeText, LeavesOrdinaryMessagesAlone) {
    for (const auto* text :
         {"", "Authentication error", "Could not route, perhaps your object identifier is invalid?",
          "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415", "699d98642c564d2e855e9661899b7252",
          "More than 1200 requests per 300 seconds reached.", "8f1c2d3e4f5a6b7c-DFW",
          "Could not route to /accounts/699d98642c564d2e855e9661899b7252/cfd_tunnel/"
          "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, perhaps your object identifier is invalid?",
          "/client/v4/accounts/699d98642c564d2e855e9661899b7252/cfd_tunnel/"
          "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415/connections",
          "client_id=f70ff985-a4ef-4643-bbbc-4a0ed4fc8415"}) {
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
        {"c2547eb745079dac9320b638f5e225cf483cc", "[redacted]"},  // A Global API Key.
        {"699d98642c564d2e855e9661899b7252699d98642c564d2e855e9661899b7252", "[redacted]"},
        {"/accounts/699d98642c564d2e855e9661899b7252/AAECAwQFBgcICQoLDA0ODxAREhMUFRYX/",
         "[redacted]"},
        {"f70ff985-a4ef-4643-bbbc-4a0ed4fc8415=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
         "[redacted]"},
        {"v0123456789-0123456789-0123456789_012345", "[redacted]"},
    };
    for (const auto& test : cases) EXPECT_EQ(safe_text(test.text, enough), test.safe) << test.text;
}

/// A secret with the shape of ids and words by chance would be let through: none is.
TEST(SafeText, RedactsEveryRandomSecret) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::minstd_rand random(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string secret;
        for (int i = 0; i < 43; ++i) secret += alphabet[random() % alphabet.size()];
        const std::string path = "/accounts/699d98642c564d2e855e9661899b7252/" + secret;
        ASSERT_EQ(safe_text(secret + "=", enough), "[redacted]") << secret;
        ASSERT_EQ(safe_text(path, enough), "[redacted]") << secret;
    }
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
