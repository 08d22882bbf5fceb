#include "simulation/years/almanac.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <date/tz.h>

namespace keyturn::years {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

/// Zones with transitions at midnight and of half an hour, in both hemispheres, and without any.
constexpr std::array zones{
    "UTC",          "Europe/Berlin",       "America/New_York", "Asia/Beirut",  "Africa/Cairo",
    "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia", "Europe/London"};
constexpr std::array weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

ClockTime weekly(Dice& dice) {
    ClockTime time;
    time.weekdays = 1U << static_cast<unsigned>(dice.between(0, 6));
    if (dice.happens(0.4)) time.weekdays |= 1U << static_cast<unsigned>(dice.between(0, 6));
    time.hour = dice.between(0, 23);
    time.minute = 30 * dice.between(0, 1);
    return time;
}

ClockTime monthly(Dice& dice) {
    ClockTime time = weekly(dice);
    time.weekdays = 0;
    time.day = dice.between(1, 28);
    return time;
}

bool fits(const ClockTime& time, std::chrono::local_days day) {
    if (time.weekdays == 0) {
        return std::chrono::year_month_day{day}.day() ==
               std::chrono::day{static_cast<unsigned>(time.day)};
    }
    return (time.weekdays >> std::chrono::weekday{day}.c_encoding() & 1U) != 0;
}

}  // namespace

std::string ClockTime::text() const {
    std::string days;
    for (unsigned i = 0; i < 7; ++i) {
        if ((weekdays >> i & 1U) == 0) continue;
        days += fmt::format("{}{}", days.empty() ? "" : ",", years::weekdays.at(i));
    }
    if (weekdays == 0) days = fmt::format("*-*-{}", day);
    return fmt::format("{} {}:{}", days, hour, minute);
}

Almanac::Almanac(Dice& dice, WallTime begin, int years) {
    move_to_another_zone(dice);
    every = dice.happens(0.7) ? Milliseconds{days{std::array{7, 30, 90}.at(
                                    static_cast<std::size_t>(dice.between(0, 2)))}}
                              : Milliseconds{0};
    calendar_ = dice.happens(0.5) ? weekly(dice) : monthly(dice);
    if (dice.happens(0.6)) max_age = every > days{0} ? every + every / 2 : days{70};
    min_interval = dice.happens(0.5) ? hours{24} : hours{1};
    splay = dice.happens(0.7) ? Milliseconds{minutes{30}} : Milliseconds{0};
    const int window_count = dice.happens(0.75) ? dice.between(1, 2) : 0;
    for (int i = 0; i < window_count; ++i) {
        windows.push_back({weekly(dice), Milliseconds{minutes{30 * dice.between(2, 20)}}});
    }
    const int freeze_count = dice.between(0, 4);
    for (int i = 0; i < freeze_count; ++i) {
        const auto first = std::chrono::floor<days>(begin) + days{dice.between(5, 365 * years)};
        const LocalTime from{first.time_since_epoch()};
        freezes.push_back({from, from + days{dice.between(1, 30)}, "freeze"});
    }
}

void Almanac::move_to_another_zone(Dice& dice) {
    zone_name_ = zones.at(static_cast<std::size_t>(dice.between(0, int{zones.size()} - 1)));
    zone_ = date::locate_zone(zone_name_);
}

Schedule Almanac::schedule() const {
    Schedule schedule;
    schedule.every = every;
    if (every == Milliseconds{0}) schedule.calendars = {parse_calendar(calendar_.text()).value()};
    schedule.max_age = max_age;
    schedule.min_interval = min_interval;
    schedule.splay = splay;
    schedule.zone = find_time_zone(zone_name_).value();
    for (const WeeklyWindow& window : windows) {
        schedule.windows.push_back({parse_calendar(window.opens.text()).value(), window.length});
    }
    schedule.freezes = freezes;
    return schedule;
}

/// The first of two such moments, and the end of a gap.
WallTime Almanac::moment_of(LocalTime time) const {
    const date::local_time<Milliseconds> local{time.time_since_epoch()};
    return zone_->to_sys(local, date::choose::earliest);
}

std::vector<WallTime> Almanac::moments(const ClockTime& time, WallTime begin, WallTime end) const {
    std::vector<WallTime> found;
    auto day =
        std::chrono::local_days{std::chrono::floor<days>(begin - days{2}).time_since_epoch()};
    for (; WallTime{day.time_since_epoch()} < end + days{2}; day += days{1}) {
        if (!fits(time, day)) continue;
        const WallTime moment = moment_of(day + hours{time.hour} + minutes{time.minute});
        if (moment >= begin && moment < end) found.push_back(moment);
    }
    return found;
}

bool Almanac::in_windows(WallTime moment, Milliseconds length, Milliseconds margin) const {
    if (windows.empty()) return true;
    std::vector<std::pair<WallTime, WallTime>> open;
    for (const WeeklyWindow& window : windows) {
        for (const WallTime begins : moments(window.opens, moment - days{2}, moment + days{3})) {
            open.emplace_back(begins - margin, begins + window.length + margin);
        }
    }
    std::ranges::sort(open);
    WallTime reached = moment;
    for (const auto& [begins, ends] : open) {
        if (begins <= reached) reached = std::max(reached, ends);
    }
    return reached >= moment + length && reached > moment;
}

bool Almanac::in_a_freeze(WallTime moment, Milliseconds margin) const {
    return std::ranges::any_of(freezes, [&](const Freeze& freeze) {
        return moment >= moment_of(freeze.from) + margin && moment < moment_of(freeze.to) - margin;
    });
}

Milliseconds Almanac::frozen(WallTime begin, WallTime end) const {
    Milliseconds sum{0};
    for (const Freeze& freeze : freezes) {
        // The zone may have been another one. No two zones differ by more than this extra day.
        const WallTime from = std::max(begin, moment_of(freeze.from) - days{1});
        const WallTime to = std::min(end, moment_of(freeze.to) + days{1});
        if (from < to) sum += to - from;
    }
    return sum;
}

bool Almanac::comes_between(WallTime begin, WallTime end) const {
    return !moments(calendar_, begin, end).empty();
}

}  // namespace keyturn::years
