#include "token/random.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

bool without_entropy = false;

}  // namespace

// The linker leads the call of the library through this one.
extern "C" int __real_RAND_priv_bytes(unsigned char* memory, int size);
extern "C" int __wrap_RAND_priv_bytes(unsigned char* memory, int size) {
    return without_entropy ? 0 : __real_RAND_priv_bytes(memory, size);
}

namespace keyturn {
namespace {

TEST(Random, GivesAsManyBytesAsAskedForAndOthersEachTime) {
    const std::unique_ptr<Random> random = make_random();
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const Result<Secret> bytes = random->bytes(32);
        ASSERT_TRUE(bytes);
        ASSERT_EQ(bytes->size(), 32U);
        seen.emplace(bytes->reveal());
    }
    EXPECT_EQ(seen.size(), 100U);
}

TEST(Random, UsesEveryValueOfAByte) {
    const Result<Secret> bytes = make_random()->bytes(1024);
    ASSERT_TRUE(bytes);
    const std::string_view text = bytes->reveal();
    // 1024 draws of 256 values miss fewer than 30 of them, but for a chance of 1 in 10^30.
    EXPECT_GT(std::set<char>(text.begin(), text.end()).size(), 226U);
}

TEST(Random, GivesNothingWithoutEntropy) {
    without_entropy = true;
    const Result<Secret> bytes = make_random()->bytes(32);
    without_entropy = false;
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().fault, Fault::unreachable);
}

TEST(RandomDeathTest, ASecretOfNoBytesIsABug) {
    EXPECT_DEATH(static_cast<void>(make_random()->bytes(0)), "between 1 and 1024 bytes");
}

}  // namespace
}  // namespace keyturn
