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

/// Runs a world to its end. After each single action with a record on the disk, keyturnd dies in a
/// copy of that world: the action took effect and nothing after it did. `crash` goes on from there.
template <class World, class Crash>
void after_every_action(World whole, const Crash& crash) {
    while (whole.step() && !testing::Test::HasFailure()) {
        if (!whole.disk_record) continue;
        SCOPED_TRACE(testing::Message() << "after " << whole.log.size() << " actions");
        World world = whole;
        crash(world);
    }
}

}  // namespace keyturn
