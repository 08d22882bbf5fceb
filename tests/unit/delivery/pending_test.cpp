#include "delivery/pending.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

PendingTokens example() {
    return PendingTokens{"0123456789abcdef0123456789abcdef", Secret::copy_of("bmV3LWNhbmFyeQ=="),
                         Secret::copy_of("b2xkLWNhbmFyeQ==")};
}

TEST(Pending, DecodesWhatItEncodes) {
    const Secret text = encode_pending(example());
    const Result<PendingTokens> tokens = decode_pending(text.reveal());
    ASSERT_TRUE(tokens);
    EXPECT_EQ(tokens->rotation_id, example().rotation_id);
    EXPECT_EQ(tokens->new_token.reveal(), "bmV3LWNhbmFyeQ==");
    EXPECT_EQ(tokens->old_token.reveal(), "b2xkLWNhbmFyeQ==");
}

TEST(Pending, RefusesEveryTruncation) {
    const std::string text(encode_pending(example()).reveal());
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(decode_pending(text.substr(0, size))) << size;
    }
}

TEST(Pending, RefusesEverySingleBitFlip) {
    const std::string text(encode_pending(example()).reveal());
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        std::string flipped = text;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_FALSE(decode_pending(flipped)) << "bit " << bit;
    }
}

TEST(Pending, NamesTheReasonWithoutTheContent) {
    std::string text(encode_pending(example()).reveal());
    text[text.find("bmV3") + 1] = 'n';
    const Result<PendingTokens> tokens = decode_pending(text);
    ASSERT_FALSE(tokens);
    EXPECT_EQ(tokens.error().fault, Fault::invalid);
    EXPECT_EQ(tokens.error().text, "it is damaged (the checksum does not match)");
    EXPECT_EQ(decode_pending("{\"schema\":\"2\"}").error().text,
              "another version of keyturn wrote it");
}

}  // namespace
}  // namespace keyturn
