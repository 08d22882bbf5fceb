#include "cloudflare/answer_headers.hpp"

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

TEST(HttpDate, ReadsTheFormThatServersWrite) {
    using namespace std::chrono;
    const auto read = parse_http_date("Tue, 24 Nov 2026 06:50:54 GMT");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, sys_days{2026y / 11 / 24} + 6h + 50min + 54s);
    const auto leap = parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT");
    ASSERT_TRUE(leap);
    EXPECT_EQ(*leap, sys_days{2024y / 3 / 1});
}

TEST(HttpDate, RefusesEverythingElse) {
    for (const auto* value : {"", "Tue, 24 Nov 2026 06:50:54", "Tuesday, 24-Nov-26 06:50:54 GMT",
                              "Tue Nov 24 06:50:54 2026", "Tue, 31 Nov 2026 06:50:54 GMT",
                              "Tue, 29 Feb 2026 06:50:54 GMT", "Tue, 24 Xyz 2026 06:50:54 GMT",
                              "Xyz, 24 Nov 2026 06:50:54 GMT", "Tue, 24 Nov 2026 24:50:54 GMT",
                              "Tue, 24 Nov 2026 06:60:54 GMT", "Tue, 24 Nov 2026 06:50:61 GMT",
                              "Tue, 24 Nov 20x6 06:50:54 GMT", "Tue, -1 Nov 2026 06:50:54 GMT",
                              "Tue, 24 Nov 2026 06:50:54 CET", "Tue, 24 Nov 2026 06.50.54 GMT"}) {
        EXPECT_FALSE(parse_http_date(value)) << value;
    }
}

}  // namespace
}  // namespace keyturn
