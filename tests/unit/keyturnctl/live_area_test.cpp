#include "live_area.hpp"

#include "text_layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

TEST(LiveArea, ReplacesItsBlockAndKeepsTheLines) {
    LiveArea area;
    EXPECT_EQ(area.redraw({"preflight"}, {"a", "b"}, 80), "preflight\na\nb\n");
    EXPECT_EQ(area.redraw({"roll"}, {"c"}, 80), "\x1b[2A\r\x1b[2Kroll\n\x1b[2Kc\n");
    EXPECT_EQ(area.redraw({"done"}, {}, 80), "\x1b[1A\r\x1b[2Kdone\n");
    EXPECT_EQ(area.redraw({"more"}, {}, 80), "more\n");
}

TEST(LiveArea, DrawsNothingWhereNothingHasChanged) {
    LiveArea area;
    EXPECT_EQ(area.redraw({}, {"a"}, 80), "a\n");
    EXPECT_EQ(area.redraw({}, {"a"}, 80), "");
    EXPECT_EQ(area.redraw({}, {"a"}, 60), "\x1b[1A\r\x1b[2Ka\n") << "a new size";
    EXPECT_EQ(area.redraw({"line"}, {"a"}, 60), "\x1b[1A\r\x1b[2Kline\n\x1b[2Ka\n");
}

TEST(LiveArea, KnowsThatANarrowerTerminalHasWrappedItsLines) {
    LiveArea area;
    const std::string painted = Paint(true)(TextStyle::good, std::string(80, 'x'));
    static_cast<void>(area.redraw({}, {painted, "", "short"}, 80));
    EXPECT_EQ(area.redraw({}, {"new"}, 30), "\x1b[5A\r\x1b[2Knew\n\x1b[J");
}

TEST(FittedRows, CutABlockThatIsTooHigh) {
    const std::vector<std::string> block{"1", "2", "3", "4", "5"};
    EXPECT_EQ(fitted_rows(block, 0), block);
    EXPECT_EQ(fitted_rows(block, 6), block);
    EXPECT_THAT(fitted_rows(block, 5), ElementsAre("1", "2", "3", StartsWith("... 2 more lines")));
    EXPECT_THAT(fitted_rows(block, 3), ElementsAre("1", StartsWith("... 4 more lines")));
}

}  // namespace
}  // namespace keyturn
