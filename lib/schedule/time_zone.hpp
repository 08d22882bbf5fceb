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

/// What a clock on the wall shows, to the millisecond. Means a moment only together with a zone.
using LocalTime = std::chrono::local_time<Milliseconds>;

/// Where clocks on walls are looked at: a zone of the system's tz database, or UTC, which needs
/// none. Debian's database tells the rules of daylight saving time up to 2037; after that a zone
/// keeps its last offset. It is read once, so an update of tzdata counts from the next start on.
class TimeZone {
  public:
    /// UTC.
    TimeZone() = default;

    [[nodiscard]] std::string_view name() const;

    [[nodiscard]] LocalTime local(WallTime moment) const;

    /// The latest time that clocks have shown up to `moment`. Differs from `local` only while they
    /// show an hour for the second time.
    [[nodiscard]] LocalTime latest_local(WallTime moment) const;

    /// When clocks show `time`: the first time where they do twice, and the end of the gap where
    /// they jump over it.
    [[nodiscard]] WallTime moment(LocalTime time) const;

    bool operator==(const TimeZone&) const = default;

  private:
    explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}
    friend Result<TimeZone> find_time_zone(std::string_view name);

    const date::time_zone* zone_ = nullptr;  ///< Of the database, which lives as long as we do.
};

/// `UTC`, an IANA name such as `Europe/Berlin`, or `local`: the zone of this host. The text of an
/// error completes "`timezone` ...".
[[nodiscard]] Result<TimeZone> find_time_zone(std::string_view name);

/// All names that `find_time_zone` knows but `local`, in alphabetic order.
[[nodiscard]] std::vector<std::string_view> time_zone_names();

}  // namespace keyturn
