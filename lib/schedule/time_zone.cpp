#include "schedule/time_zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <date/tz.h>
#include <exception>

namespace keyturn {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using SysSeconds = std::chrono::sys_seconds;

/// Nothing is planned outside these years, and the database's arithmetic would overflow.
constexpr WallTime first_moment = std::chrono::sys_days{std::chrono::year{1} / 1 / 2};
constexpr WallTime last_moment = std::chrono::sys_days{std::chrono::year{9999} / 12 / 30};

WallTime within_years(WallTime moment) {
    return std::clamp(moment, first_moment, last_moment);
}

date::sys_info info_at(const date::time_zone& zone, WallTime moment) {
    return zone.get_info(floor<seconds>(within_years(moment)));
}

const date::time_zone* find_in_database(std::string_view name) {
    const auto& zones = date::get_tzdb().zones;
    const auto found = std::ranges::lower_bound(
        zones, name, {}, [](const date::time_zone& zone) { return std::string_view{zone.name()}; });
    if (found == zones.end() || found->name() != name) return nullptr;
    // The library reads a zone's rules on first use. A broken file should fail here, not in the
    // middle of a night.
    static_cast<void>(found->get_info(SysSeconds{}));
    return &*found;
}

}  // namespace

std::string_view TimeZone::name() const {
    return zone_ == nullptr ? std::string_view{"UTC"} : std::string_view{zone_->name()};
}

LocalTime TimeZone::local(WallTime moment) const {
    const Milliseconds offset = zone_ == nullptr ? seconds{0} : info_at(*zone_, moment).offset;
    return LocalTime{moment.time_since_epoch() + offset};
}

LocalTime TimeZone::latest_local(WallTime moment) const {
    const LocalTime now = local(moment);
    if (zone_ == nullptr) return now;
    const date::sys_info info = info_at(*zone_, moment);
    if (WallTime{info.begin} <= first_moment) return now;
    const seconds offset_before = info_at(*zone_, info.begin - seconds{1}).offset;
    const LocalTime shown_before{info.begin.time_since_epoch() + offset_before - Milliseconds{1}};
    return std::max(now, shown_before);
}

WallTime TimeZone::moment(LocalTime time) const {
    const WallTime as_utc = within_years(WallTime{time.time_since_epoch()});
    if (zone_ == nullptr) return as_utc;
    const date::local_seconds whole{floor<seconds>(as_utc).time_since_epoch()};
    const date::local_info info = zone_->get_info(whole);
    if (info.result == date::local_info::nonexistent) return info.second.begin;
    return as_utc - info.first.offset;
}

Result<TimeZone> find_time_zone(std::string_view name) {
    if (name == "UTC") return TimeZone{};
    // The library reports failures by exceptions, with texts for programmers.
    try {
        const date::time_zone* const zone =
            name == "local" ? date::current_zone() : find_in_database(name);
        if (zone == nullptr) {
            return Error{Fault::invalid,
                         "must be `UTC`, `local` or an IANA name such as `Europe/Berlin`"};
        }
        return zone->name() == "UTC" ? TimeZone{} : TimeZone{zone};
    } catch (const std::exception&) {
        return Error{Fault::missing,
                     "cannot be looked up, because /usr/share/zoneinfo or /etc/localtime is "
                     "missing or broken on this host; install tzdata"};
    }
}

std::vector<std::string_view> time_zone_names() {
    std::vector<std::string_view> names;
    try {
        for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
    } catch (const std::exception&) {
        // Without a database there is only UTC.
    }
    if (names.empty()) names.push_back("UTC");
    return names;
}

}  // namespace keyturn
