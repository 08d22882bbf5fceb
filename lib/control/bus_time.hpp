#pragma once

#include "time/moment.hpp"

#include <cstdint>
#include <optional>

namespace keyturn {

/// A moment as it stands on the bus: microseconds since 1970, as systemd writes its times; zero
/// where there is none.
[[nodiscard]] inline std::uint64_t to_bus_time(const std::optional<WallTime>& moment) {
    if (!moment || moment->time_since_epoch().count() < 0) return 0;
    const std::chrono::microseconds since_epoch = moment->time_since_epoch();
    return static_cast<std::uint64_t>(since_epoch.count());
}

[[nodiscard]] inline std::optional<WallTime> from_bus_time(std::uint64_t microseconds) {
    if (microseconds == 0) return std::nullopt;
    return WallTime(Milliseconds{static_cast<std::int64_t>(microseconds / 1000)});
}

}  // namespace keyturn
