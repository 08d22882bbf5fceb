#include "schedule/time_zone.hpp"

#include "fakes/schedules.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(TimeZone, IsUtcUnlessNamed) {
    EXPECT_EQ(TimeZone{}.name(), "UTC");
    EXPECT_EQ(TimeZone{}, zone_named("UTC"));
    EXPECT_EQ(TimeZone{}.local(utc("2026-03-29 01:30")), clock_time("2026-03-29 01:30"));
    EXPECT_EQ(TimeZone{}.moment(clock_time("2026-03-29 01:30")), utc("2026-03-29 01:30"));
}

TEST(TimeZone, ShowsWhatClocksShow) {
    const TimeZone berlin = zone_named("Europe/Berlin");
    EXPECT_EQ(berlin.name(), "Europe/Berlin");
    EXPECT_EQ(berlin.local(utc("2026-03-29 00:59")), clock_time("2026-03-29 01:59"));
    EXPECT_EQ(berlin.local(utc("2026-03-29 01:00")), clock_time("2026-03-29 03:00"));
    EXPECT_EQ(zone_named("Asia/Kathmandu").local(utc("2026-01-01 00:00")),
              clock_time("2026-01-01 05:45"));
}

TEST(TimeZone, TakesTheEndOfAGapForATimeInIt) {
    const TimeZone berlin = zone_named("Europe/Berlin");
    for (const char* const skipped : {"2026-03-29 02:00", "2026-03-29 02:30", "2026-03-29 02:59"}) {
        EXPECT_EQ(berlin.moment(clock_time(skipped)), utc("2026-03-29 01:00")) << skipped;
    }
    EXPECT_EQ(berlin.moment(clock_time("2026-03-29 01:59")), utc("2026-03-29 00:59"));
    EXPECT_EQ(berlin.moment(clock_time("2026-03-29 03:00")), utc("2026-03-29 01:00"));
}

TEST(TimeZone, TakesTheFirstOfTwo) {
    const TimeZone berlin = zone_named("Europe/Berlin");
    EXPECT_EQ(berlin.moment(clock_time("2026-10-25 02:30")), utc("2026-10-25 00:30"));
    EXPECT_EQ(berlin.moment(clock_time("2026-10-25 03:00")), utc("2026-10-25 02:00"));
}

TEST(TimeZone, KnowsWhatWasShownBeforeWhileClocksRepeatAnHour) {
    const TimeZone berlin = zone_named("Europe/Berlin");
    EXPECT_EQ(berlin.latest_local(utc("2026-10-25 00:30")), clock_time("2026-10-25 02:30"));
    EXPECT_EQ(berlin.latest_local(utc("2026-10-25 01:30")),
              clock_time("2026-10-25 03:00") - Milliseconds{1});
    EXPECT_EQ(berlin.latest_local(utc("2026-10-25 02:00")), clock_time("2026-10-25 03:00"));
    EXPECT_EQ(TimeZone{}.latest_local(utc("2026-10-25 01:30")), clock_time("2026-10-25 01:30"));
}

TEST(TimeZone, WithoutADayOfItsOwn) {
    // Samoa went over the date line: there was no 2011-12-30.
    const TimeZone apia = zone_named("Pacific/Apia");
    EXPECT_EQ(apia.moment(clock_time("2011-12-30 12:00")), utc("2011-12-30 10:00"));
    EXPECT_EQ(apia.local(utc("2011-12-30 10:00")), clock_time("2011-12-31 00:00"));
}

TEST(TimeZone, KeepsTheMillisecond) {
    const TimeZone berlin = zone_named("Europe/Berlin");
    const WallTime moment = utc("2026-07-01 10:00") + Milliseconds{7};
    EXPECT_EQ(berlin.local(moment), clock_time("2026-07-01 12:00") + Milliseconds{7});
    EXPECT_EQ(berlin.moment(berlin.local(moment)), moment);
}

TEST(TimeZone, IsDefinedAtTheEndsOfTime) {
    for (const char* const name : {"UTC", "Europe/Berlin", "America/New_York"}) {
        const TimeZone zone = zone_named(name);
        for (const WallTime end : {utc("0001-01-01 00:00"), utc("9999-12-31 23:59")}) {
            const auto off = zone.moment(zone.local(end)) - end;
            EXPECT_LE(std::chrono::abs(off), std::chrono::days{3}) << name;
        }
    }
}

TEST(TimeZone, AnUnknownNameIsRefused) {
    for (const char* const name :
         {"", "Berlin", "europe/berlin", "CEST", "../etc/passwd", "UTC "}) {
        const Result<TimeZone> zone = find_time_zone(name);
        ASSERT_FALSE(zone.has_value()) << name;
        EXPECT_THAT(zone.error().text, HasSubstr("IANA name such as `Europe/Berlin`"));
    }
}

TEST(TimeZone, OfThisHost) {
    const Result<TimeZone> zone = find_time_zone("local");
    ASSERT_TRUE(zone.has_value()) << zone.error().text;
    EXPECT_THAT(time_zone_names(), Contains(zone->name()));
}

TEST(TimeZone, ListsItsNames) {
    EXPECT_THAT(time_zone_names(), Contains("Europe/Berlin"));
    EXPECT_THAT(time_zone_names(), Contains("UTC"));
    EXPECT_THAT(time_zone_names(), Not(Contains("local")));
    EXPECT_GT(time_zone_names().size(), 400U);
}

}  // namespace
}  // namespace keyturn
