#include "http/retry_after.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

TEST(RetryAfter, TakesWholeSecondsUpToTheLimitAndNothingElse) {
    struct Case {
        std::string_view value;
        std::chrono::seconds seconds;
    };
    const Case cases[] = {
        {"1", 1s},
        {" 7 ", 7s},
        {"299", 299s},
        {"300", 300s},
        {"301", 300s},
        {"100000", 300s},
        {"99999999999999999999", 300s},
        {"0", 0s},
        {"", 0s},
        {"-5", 0s},
        {"+5", 0s},
        {"1.5", 0s},
        {"12 s", 0s},
        {"soon", 0s},
        {"0x10", 0s},
        {"Tue, 24 Nov 2026 06:50:54 GMT", 0s},
    };
    for (const auto& test : cases)
        EXPECT_EQ(parse_retry_after(test.value), test.seconds) << test.value;
}

}  // namespace
}  // namespace keyturn
