#include "base/rare.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

const std::string text = "more than fits into a small string";

TEST(Rare, CostsAPointer) {
    EXPECT_EQ(sizeof(Rare<std::string>), sizeof(void*));
}

TEST(Rare, HoldsNothingUntilItIsTold) {
    Rare<std::string> rare;
    EXPECT_FALSE(rare);
    EXPECT_EQ(rare, std::nullopt);
    rare.emplace() = text;
    EXPECT_TRUE(rare.has_value());
    EXPECT_EQ(*rare, text);
    EXPECT_EQ(rare->size(), text.size());
    rare.reset();
    EXPECT_EQ(rare, std::nullopt);
}

TEST(Rare, IsCopiedAndComparedByItsValue) {
    const Rare<std::string> rare = text;
    Rare<std::string> copy = rare;
    EXPECT_EQ(copy, rare);
    *copy += " and more";
    EXPECT_NE(copy, rare);
    EXPECT_EQ(rare, text) << "the copy has its own";
    EXPECT_NE(copy, std::nullopt);

    copy = rare;
    EXPECT_EQ(copy, rare);
    copy = static_cast<const Rare<std::string>&>(copy);
    EXPECT_EQ(copy, rare);
    const Rare<std::string> moved = std::move(copy);
    EXPECT_EQ(moved, rare);
}

}  // namespace
}  // namespace keyturn
