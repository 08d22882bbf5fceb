#include "policy/duration.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

struct Spelling {
    const char* text;
    std::int64_t milliseconds;
};

TEST(Duration, ReadsSystemdsSpellings) {
    constexpr Spelling spellings[] = {
        {"0", 0},
        {"0s", 0},
        {"1ms", 1},
        {"250 msec", 250},
        {"5s", 5'000},
        {"5sec", 5'000},
        {"10m", 600'000},
        {"10min", 600'000},
        {"1 minute", 60'000},
        {"2h", 7'200'000},
        {"2hr", 7'200'000},
        {"1h 30min", 5'400'000},
        {"1h30m", 5'400'000},
        {"30min 1h", 5'400'000},
        {"30d", 2'592'000'000},
        {"2w", 1'209'600'000},
        {"1w 1d 1h 1m 1s 1ms", 694'861'001},
        {"007s", 7'000},
        {"9223372036854775807ms", 9'223'372'036'854'775'807},
    };
    for (const Spelling& spelling : spellings) {
        const Result<Milliseconds> duration = parse_duration(spelling.text);
        ASSERT_TRUE(duration.has_value()) << spelling.text;
        EXPECT_EQ(duration->count(), spelling.milliseconds) << spelling.text;
    }
}

TEST(Duration, RefusesEverythingElse) {
    for (const char* const text : {"",
                                   " ",
                                   "5",
                                   "00",
                                   "s",
                                   "m5",
                                   "-5s",
                                   "+5s",
                                   "1.5h",
                                   "1e3s",
                                   "5 s 3",
                                   "5s,3s",
                                   "5s  -1s",
                                   "1M",
                                   "1month",
                                   "1y",
                                   "1us",
                                   "5S",
                                   "5 parsec",
                                   "9223372036854775808ms",
                                   "15250284453w",
                                   "9223372036854775807ms 1ms",
                                   "99999999999999999999999s",
                                   "5s\n",
                                   "5\ts",
                                   "infinity"}) {
        EXPECT_FALSE(parse_duration(text).has_value()) << text;
    }
}

TEST(Duration, MinutesAreNotMonths) {
    EXPECT_EQ(parse_duration("1M").error().text,
              "uses the unit `M`, which varies in length; write days (`d`) or weeks (`w`); `m` "
              "means minutes");
}

}  // namespace
}  // namespace keyturn
