#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <array>
#include <type_traits>
#include <utility>

namespace keyturn {
namespace {

static_assert(!std::is_copy_constructible_v<Secret>, "a secret is copied by clone() alone");
static_assert(!std::is_convertible_v<Secret, std::string_view>, "a secret is no string");

TEST(Secret, HoldsACopyOfItsBytes) {
    const Secret secret = Secret::copy_of("open sesame");
    EXPECT_EQ(secret.reveal(), "open sesame");
    EXPECT_EQ(secret.size(), 11U);
}

TEST(Secret, IsEmptyAfterAMove) {
    Secret first = Secret::copy_of("open sesame");
    const Secret second = std::move(first);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested.
    EXPECT_EQ(second.reveal(), "open sesame");
}

TEST(Secret, WipesWhatTruncateCutsOff) {
    Secret secret = Secret::copy_of("open sesame");
    const char* behind = secret.data() + 4;
    secret.truncate(4);
    EXPECT_EQ(secret.reveal(), "open");
    EXPECT_EQ(*behind, '\0');
}

TEST(Secret, ComparesByContent) {
    EXPECT_TRUE(same_secret(Secret::copy_of("abc"), Secret::copy_of("abc")));
    EXPECT_FALSE(same_secret(Secret::copy_of("abc"), Secret::copy_of("abd")));
    EXPECT_FALSE(same_secret(Secret::copy_of("abc"), Secret::copy_of("ab")));
    EXPECT_TRUE(same_secret(Secret(), Secret()));
}

TEST(Wipe, OverwritesTheMemory) {
    std::array<char, 4> memory{'k', 'e', 'y', '!'};
    wipe(memory.data(), memory.size());
    EXPECT_EQ(memory, (std::array<char, 4>{0, 0, 0, 0}));
    wipe(nullptr, 0);
}

}  // namespace
}  // namespace keyturn
