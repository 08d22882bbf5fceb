#include "units/natural_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace keyturn {
namespace {

TEST(NaturalOrder, SortsNumbersByValue) {
    const std::vector<std::string> sorted{"",
                                          "a",
                                          "a.service",
                                          "api@9.service",
                                          "web.service",
                                          "web@1.service",
                                          "web@02.service",
                                          "web@2.service",
                                          "web@3-1.service",
                                          "web@3-10.service",
                                          "web@10.service",
                                          "web@99999999999999999999999.service",
                                          "web@100000000000000000000000.service",
                                          "web@a.service",
                                          "z"};
    std::vector<std::string> shuffled(sorted.rbegin(), sorted.rend());
    std::sort(shuffled.begin(), shuffled.end(), naturally_before);
    EXPECT_EQ(shuffled, sorted);
}

TEST(NaturalOrder, IsAStrictOrderOverAllPairsAndTriples) {
    const std::vector<std::string> names{"",   "0",   "00", "1",  "01",  "a",
                                         "a0", "a00", "a1", "1a", "01a", "\xff"};
    for (const std::string& a : names) {
        EXPECT_FALSE(naturally_before(a, a)) << a;
        for (const std::string& b : names) {
            if (a != b) {
                EXPECT_NE(naturally_before(a, b), naturally_before(b, a)) << a << " " << b;
            }
            for (const std::string& c : names) {
                if (naturally_before(a, b) && naturally_before(b, c)) {
                    EXPECT_TRUE(naturally_before(a, c)) << a << " " << b << " " << c;
                }
            }
        }
    }
}

}  // namespace
}  // namespace keyturn
