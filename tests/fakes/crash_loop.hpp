#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

// What holds wherever something breaks: the same test at each of many points.

namespace keyturn {

/// `first`, `first + step`, and so on below `end`.
inline std::vector<std::size_t> points(std::size_t first, std::size_t end, std::size_t step = 1) {
    std::vector<std::size_t> points;
    for (std::size_t at = first; at < end; at += step) points.push_back(at);
    return points;
}

/// Calls `test` with each point, names the point in each failure and ends at the first one.
template <class Test>
void at_each(const std::vector<std::size_t>& points, const Test& test) {
    for (const std::size_t at : points) {
        SCOPED_TRACE(testing::Message() << "at point " << at);
        test(at);
        if (testing::Test::HasFailure()) return;
    }
}

template <class World>
World started() {
    World world;
    world.start();
    return world;
}

/// Stops a world after each single action: that one took effect and nothing after it did. Where a
/// record of the rotation is on the disk then, `crash` lets the next keyturnd go on from it.
template <class Make, class Crash>
void after_every_action(const Make& make, const Crash& crash) {
    auto whole = make();
    const std::size_t made = whole.log.size();
    whole.run();
    at_each(points(1, whole.log.size() - made), [&](std::size_t actions) {
        auto world = make();
        world.steps(actions);
        if (world.disk_record) crash(world);
    });
}

}  // namespace keyturn
