#include "token/digest.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(Sha256, KnowsTheExamplesOfTheStandard) {
    EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex({"abc"}),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, TakesPiecesOneAfterTheOther) {
    EXPECT_EQ(sha256_hex({"a", "", "bc"}), sha256_hex({"abc"}));
    EXPECT_NE(sha256_hex({"bc", "a"}), sha256_hex({"abc"}));
}

}  // namespace
}  // namespace keyturn
