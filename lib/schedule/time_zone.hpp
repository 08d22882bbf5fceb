#pragma once

#include "base/result.hpp"
#include "time/moment.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace date {
class time_zone;
}

namespace keyturn {

/// What a clock on the wall shows, to the millisecond. It is a moment only together with a zone.
using LocalTime = std::chrono::local_time<Milliseconds>;

/// A zone of the system's tz database, or UTC, which needs no database. Debian's database contains
/// the rules of daylight saving time up to 2037; after that a zone keeps its last offset. The
/// database is read once, so an update of tzdata takes effect at the next start.
class TimeZone {
  public:
    /// UTC.
    TimeZone() = default;

    [[nodiscard]] std::string_view name() const;

    [[nodiscard]] LocalTime local(WallTime moment) const;

    /// The latest time that clocks have shown up to `moment`. It differs from `local` only while
    /// clocks show an hour for the second time.
    [[nodiscard]] LocalTime latest_local(WallTime moment) const;

    /// When clocks show `time`: the first time if they show it twice, and the end of the gap if
    /// they jump over it.
    [[nodiscard]] WallTime moment(LocalTime time) const;

    bool operator==(const TimeZone&) const = default;

  private:
    explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}
    friend Result<TimeZone> find_time_zone(std::string_view name);

    const date::time_zone* zone_ =
        nullptr;  ///< In the database, which lives as long as the process.
};

/// Finds `UTC`, an IANA name such as `Europe/Berlin`, or `local`, which is the zone of this host.
/// The text of an error completes "`timezone` ...". Faults: `invalid` for an unknown name,
/// `missing` without a usable database.
[[nodiscard]] Result<TimeZone> find_time_zone(std::string_view name);

/// All names that `find_time_zone` accepts except `local`, in alphabetical order.
[[nodiscard]] std::vector<std::string_view> time_zone_names();

}  // namespace keyturn
