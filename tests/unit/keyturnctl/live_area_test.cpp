#include "live_area.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(LiveArea, ReplacesItsBlockAndKeepsTheLines) {
    LiveArea area;
    EXPECT_EQ(area.redraw({"preflight"}, {"a", "b"}), "preflight\na\nb\n");
    EXPECT_EQ(area.redraw({"roll"}, {"c"}), "\x1b[2A\r\x1b[Jroll\nc\n");
    EXPECT_EQ(area.redraw({"done"}, {}), "\x1b[1A\r\x1b[Jdone\n");
    EXPECT_EQ(area.redraw({"more"}, {}), "more\n");
}

}  // namespace
}  // namespace keyturn
