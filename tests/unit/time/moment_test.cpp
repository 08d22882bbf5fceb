#include "time/moment.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

TEST(Moment, IsWrittenInUtc) {
    EXPECT_EQ(to_text(WallTime{1772332200s}), "2026-03-01T02:30:00Z");
}

TEST(Duration, IsWrittenInItsTwoLargestUnits) {
    EXPECT_EQ(to_text(Milliseconds{250}), "250ms");
    EXPECT_EQ(to_text(Milliseconds{2'500}), "2.5s");
    EXPECT_EQ(to_text(Milliseconds{5s}), "5s");
    EXPECT_EQ(to_text(Milliseconds{9min + 58s}), "9m 58s");
    EXPECT_EQ(to_text(Milliseconds{1h}), "1h");
    EXPECT_EQ(to_text(Milliseconds{24h * 30 + 5h + 3min}), "30d 5h");
    EXPECT_EQ(to_text(Milliseconds{-5s}), "-5s");
}

}  // namespace
}  // namespace keyturn
