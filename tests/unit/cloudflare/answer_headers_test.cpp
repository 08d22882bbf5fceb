#include "cloudflare/answer_headers.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

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

TEST(RateLimits, AreReadAsCloudflareWritesThem) {
    using testing::ElementsAre;
    const RateLimit joined{"default", 50, 30s, 100, 60s};
    EXPECT_THAT(parse_rate_limits(R"("default";r=50;t=30)", R"("default";q=100;w=60)"),
                ElementsAre(joined));
    EXPECT_THAT(parse_rate_limits(R"("default";r=50;t=30)", R"("burst";q=100;w=60)"),
                ElementsAre(joined))
        << "each header has one item only";
    EXPECT_THAT(parse_rate_limits(R"( "default" ; t=30 ; pk=:YQ==: ; r=50 )", ""),
                ElementsAre(RateLimit{"default", 50, 30s, 0, 0s}));
    EXPECT_THAT(parse_rate_limits(R"("burst";r=9;t=2, "default";r=50;t=30)",
                                  R"("default";q=100;w=60,"burst";q=10;w=5)"),
                ElementsAre(RateLimit{"burst", 9, 2s, 10, 5s}, joined));
    EXPECT_THAT(parse_rate_limits(R"("burst";r=9;t=2, "default";r=50;t=30)", R"("day";q=9;w=9)"),
                ElementsAre(RateLimit{"burst", 9, 2s, 0, 0s}, RateLimit{"default", 50, 30s, 0, 0s}))
        << "which of them is meant, nobody can tell";
    EXPECT_THAT(parse_rate_limits(R"("day";r=50;t=86400)", R"("day";q=100;w=86400)"),
                ElementsAre(RateLimit{"day", 50, 300s, 100, 86'400s}));
}

TEST(RateLimits, AreNotReadFromAnythingElse) {
    for (const auto* value :
         {"", ",", ",,;", R"("default")", R"("default";r=50)", R"("default";t=30)",
          R"("default";r=;t=30)", R"("default";r=-1;t=30)", R"("default";r=1.5;t=30)",
          R"("default";r=99999999999;t=30)", R"(default;r=50;t=30)", R"("";r=50;t=30)",
          R"("a,b";r=50;t=30)", R"("a\"b";r=50;t=30)", R"("a b";r=50;t=30)", "limit=5, remaining=4",
          R"("an_extremely_long_name_of_a_limit_x";r=50;t=30)"}) {
        EXPECT_THAT(parse_rate_limits(value, R"("default";q=100;w=60)"), testing::IsEmpty())
            << value;
    }
    std::string many;
    for (const auto* name : {"a", "b", "c", "d", "e"}) {
        many += '"' + std::string(name) + "\";r=1;t=1,";
    }
    EXPECT_THAT(parse_rate_limits(many, ""), testing::SizeIs(rate_limits_max));
}

}  // namespace
}  // namespace keyturn
