#include "simulation/fleet/world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::fleet_simulation {

void World::at(BootTime when, std::function<void()> what) {
    coming_.push_back(Coming{when, ++numbers_, std::move(what)});
    std::ranges::push_heap(coming_, later);
}

bool World::pass(Milliseconds time, const std::function<bool()>& enough) {
    const BootTime end = now() + time;
    for (;;) {
        const BootTime next = coming_.empty() ? end : std::min(end, coming_.front().when);
        const auto stop = [&] {
            const bool sooner = !coming_.empty() && coming_.front().when < next;
            return sooner || !failure_.empty() || enough();
        };
        clock.run_until(stop, next - now());
        if (!failure_.empty() || enough()) return failure_.empty();
        while (!coming_.empty() && coming_.front().when <= now() && failure_.empty()) {
            std::ranges::pop_heap(coming_, later);
            const Coming happening = std::move(coming_.back());
            coming_.pop_back();
            happening.what();
        }
        if (now() >= end) return false;
    }
}

bool World::strikes(double probability, const char* what) {
    if (!storm || !dice.happens(probability)) return false;
    saw(what);
    ++faults;
    return true;
}

void World::tell(const std::string& line) const {
    if (!tell_) return;
    const std::chrono::duration<double> since = now().time_since_epoch();
    tell_(fmt::format("{:9.3f}  {}", since.count(), line));
}

void World::fail(const std::string& what) {
    tell("VIOLATION: " + what);
    if (failure_.empty()) failure_ = what;
}

}  // namespace keyturn::fleet_simulation
