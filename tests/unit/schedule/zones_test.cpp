// Every zone of the tz database around every transition from 2020 to 2040.
#include "fakes/schedules.hpp"
#include "schedule/calendar.hpp"

#include <gtest/gtest.h>

#include <date/tz.h>

namespace keyturn {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<WallTime> transitions(std::string_view name) {
    const date::time_zone* const zone = date::locate_zone(name);
    const auto last = std::chrono::sys_days{std::chrono::year{2040} / 1 / 1};
    std::chrono::sys_seconds at = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
    std::vector<WallTime> found;
    for (;;) {
        at = zone->get_info(at).end;
        if (at >= last) return found;
        found.emplace_back(at);
    }
}

/// Once on each local day, never earlier than asked, at the time it says unless clocks jump over
/// it.
void expect_daily(const Calendar& daily, seconds time, const TimeZone& zone, WallTime transition) {
    WallTime at = transition - days{2};
    // A time that the first day has passed already is that day's hit.
    auto day = floor<days>(zone.local(at));
    if (zone.moment(day + time) <= at) day += days{1};
    for (int i = 0; i < 4; ++i, day += days{1}) {
        const std::optional<WallTime> hit = daily.next_after(at, zone);
        ASSERT_TRUE(hit.has_value());
        ASSERT_GT(*hit, at);
        const LocalTime shown = zone.local(*hit);
        const bool skipped = shown != day + time;
        if (skipped) {
            // Clocks were just put over it.
            ASSERT_EQ(*hit, zone.moment(day + time));
            ASSERT_LT(zone.local(*hit - seconds{1}), day + time);
            ASSERT_GT(shown, day + time);
        }
        // Whenever it is asked for before that, the answer is the same.
        ASSERT_EQ(daily.next_after(*hit - Milliseconds{1}, zone), hit);
        ASSERT_EQ(daily.next_after(at + (*hit - at) / 2, zone), hit);
        at = *hit;
    }
}

TEST(Zones, DailyTimesComeOnceADayAroundEveryTransition) {
    int seen = 0;
    for (const std::string_view name : time_zone_names()) {
        const TimeZone zone = zone_named(name);
        for (const WallTime transition : transitions(name)) {
            // Times at which something can happen: in and around the hour that is lost or repeated.
            const LocalTime before = zone.local(transition - seconds{1}) + seconds{1};
            for (const minutes shift : {minutes{-60}, minutes{-30}, minutes{0}, minutes{30}}) {
                const LocalTime shown = before + shift;
                const auto time = std::chrono::duration_cast<seconds>(shown - floor<days>(shown));
                const std::chrono::hh_mm_ss parts{time};
                const Calendar daily = calendar(std::to_string(parts.hours().count()) + ":" +
                                                std::to_string(parts.minutes().count()) + ":" +
                                                std::to_string(parts.seconds().count()));
                expect_daily(daily, time, zone, transition);
                if (HasFatalFailure()) FAIL() << name << " " << to_text(transition);
            }
            ++seen;
        }
    }
    EXPECT_GT(seen, 5000);
}

TEST(Zones, WhatClocksShowIsFoundAgainAroundEveryTransition) {
    for (const std::string_view name : time_zone_names()) {
        const TimeZone zone = zone_named(name);
        for (const WallTime transition : transitions(name)) {
            LocalTime latest = zone.latest_local(transition - days{1});
            for (WallTime at = transition - hours{3}; at < transition + hours{3};
                 at += minutes{10}) {
                ASSERT_LE(zone.moment(zone.local(at)), at) << name << " " << to_text(at);
                ASSERT_EQ(zone.local(zone.moment(zone.local(at))), zone.local(at)) << name;
                ASSERT_GE(zone.latest_local(at), zone.local(at)) << name << " " << to_text(at);
                ASSERT_GE(zone.latest_local(at), latest) << name << " " << to_text(at);
                latest = zone.latest_local(at);
            }
        }
    }
}

}  // namespace
}  // namespace keyturn
