#include "base/counted.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(Counted, HasOneWordForOneAndAnotherForAllOtherNumbers) {
    EXPECT_EQ(counted(0, "unit"), "0 units");
    EXPECT_EQ(counted(1, "unit"), "1 unit");
    EXPECT_EQ(counted(2, "unit"), "2 units");
    EXPECT_EQ(counted(1, "batch", "batches"), "1 batch");
    EXPECT_EQ(counted(21, "unit serves", "units serve"), "21 units serve");
}

}  // namespace
}  // namespace keyturn
