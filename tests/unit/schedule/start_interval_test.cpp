#include "schedule/start_interval.hpp"

#include "fakes/schedules.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Schedule with_windows(std::vector<Window> windows) {
    Schedule schedule;
    schedule.splay = Milliseconds{0};
    schedule.windows = std::move(windows);
    return schedule;
}

StartInterval stretch(const std::string& begins, const std::string& ends) {
    return {utc(begins), utc(ends)};
}

TEST(NextStretch, IsAllOfTimeWithoutWindowsAndFreezes) {
    EXPECT_EQ(next_start_interval(Schedule{}, utc("2026-03-01"), hours{1}), StartInterval{});
}

TEST(NextStretch, IsTheWindowThatIsOpenOrTheNext) {
    const Schedule nightly = with_windows({window("02:00", hours{4})});
    const StartInterval first = stretch("2026-03-01 02:00", "2026-03-01 06:00");
    EXPECT_EQ(next_start_interval(nightly, utc("2026-02-28 12:00"), hours{1}), first);
    EXPECT_EQ(next_start_interval(nightly, utc("2026-03-01 02:00"), hours{1}), first);
    EXPECT_EQ(next_start_interval(nightly, utc("2026-03-01 05:00"), hours{1}), first);
    EXPECT_EQ(next_start_interval(nightly, utc("2026-03-01 05:01"), hours{1}),
              stretch("2026-03-02 02:00", "2026-03-02 06:00"));
}

TEST(NextStretch, CrossesMidnightAndWeeks) {
    const Schedule weekend = with_windows({window("Sat 22:00", hours{34})});
    EXPECT_EQ(next_start_interval(weekend, utc("2026-03-01 12:00"), hours{1}),
              stretch("2026-02-28 22:00", "2026-03-02 08:00"));
}

TEST(NextStretch, JoinsWindowsThatTouch) {
    const Schedule two = with_windows({window("22:00", hours{2}), window("Mon 00:00", hours{3}),
                                       window("Mon 02:30", minutes{15})});
    EXPECT_EQ(next_start_interval(two, utc("2026-03-01 20:00"), hours{4}),
              stretch("2026-03-01 22:00", "2026-03-02 03:00"));
}

TEST(NextStretch, PassesOverWindowsThatAreTooShort) {
    const Schedule mixed = with_windows({window("02:00", hours{1}), window("Sun 12:00", hours{3})});
    EXPECT_EQ(next_start_interval(mixed, utc("2026-03-02 00:00"), hours{2}),
              stretch("2026-03-08 12:00", "2026-03-08 15:00"));
    EXPECT_EQ(next_start_interval(mixed, utc("2026-03-02 00:00"), hours{4}), std::nullopt);
}

TEST(NextStretch, EndsWithTheLastWindow) {
    const Schedule once = with_windows({window("2026-03-01 02:00", hours{1})});
    EXPECT_TRUE(next_start_interval(once, utc("2026-02-01"), minutes{30}).has_value());
    EXPECT_EQ(next_start_interval(once, utc("2026-03-01 02:31"), minutes{30}), std::nullopt);
}

TEST(NextStretch, WindowsThatNeverCloseAreLongEnough) {
    const Schedule always = with_windows({window("hourly", hours{2})});
    const auto found = next_start_interval(always, utc("2026-03-01 12:30"), hours{100});
    ASSERT_TRUE(found.has_value());
    EXPECT_GE(found->ends, utc("2026-03-01 12:30") + hours{100});
}

TEST(NextStretch, LastsAsClocksRunNotAsTheyShow) {
    Schedule night = with_windows({window("00:00", hours{4})});
    night.zone = zone_named("Europe/Berlin");
    // Clocks show 01:00 to 05:00 in spring, 00:00 to 03:00 in autumn.
    EXPECT_EQ(next_start_interval(night, utc("2026-03-28 23:00"), hours{1}),
              stretch("2026-03-28 23:00", "2026-03-29 03:00"));
    EXPECT_EQ(next_start_interval(night, utc("2026-10-24 22:00"), hours{1}),
              stretch("2026-10-24 22:00", "2026-10-25 02:00"));
}

TEST(NextStretch, StartThatClocksJumpOverIsTheEndOfTheGap) {
    Schedule night = with_windows({window("02:30", hours{1})});
    night.zone = zone_named("Europe/Berlin");
    EXPECT_EQ(next_start_interval(night, utc("2026-03-29 00:00"), minutes{30}),
              stretch("2026-03-29 01:00", "2026-03-29 02:00"));
}

TEST(NextStretch, FreezeBeatsAWindow) {
    Schedule nightly = with_windows({window("02:00", hours{4})});
    nightly.freezes = {freeze("2026-03-01 03:00", "2026-03-03 05:00")};
    // What is left before it, then what is left after it.
    EXPECT_EQ(next_start_interval(nightly, utc("2026-03-01 00:00"), hours{1}),
              stretch("2026-03-01 02:00", "2026-03-01 03:00"));
    EXPECT_EQ(next_start_interval(nightly, utc("2026-03-01 02:01"), hours{1}),
              stretch("2026-03-03 05:00", "2026-03-03 06:00"));
    EXPECT_EQ(next_start_interval(nightly, utc("2026-03-01 02:01"), hours{2}),
              stretch("2026-03-04 02:00", "2026-03-04 06:00"));
}

TEST(NextStretch, FreezesMayOverlapAndTouch) {
    Schedule any;
    any.freezes = {freeze("2026-03-03", "2026-03-05"), freeze("2026-03-01", "2026-03-03"),
                   freeze("2026-03-04", "2026-03-04 12:00")};
    const auto found = next_start_interval(any, utc("2026-03-01 12:00"), hours{1});
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->begins, utc("2026-03-05"));
}

TEST(NextStretch, FreezeIsMeasuredInTheZone) {
    Schedule any;
    any.zone = zone_named("America/New_York");
    any.freezes = {freeze("2026-12-20", "2027-01-05")};
    EXPECT_EQ(frozen_until(any, utc("2026-12-20 04:59")), utc("2026-12-20 04:59"));
    EXPECT_EQ(frozen_until(any, utc("2026-12-20 05:00")), utc("2027-01-05 05:00"));
}

TEST(NextStretch, IsFoundWhereverItIsAskedForInsideOfIt) {
    Schedule schedule =
        with_windows({window("Sat 20:00", hours{10}), window("Sun 06:00", hours{10})});
    schedule.freezes = {freeze("2026-02-01", "2026-02-28 21:00")};
    for (int hour = 0; hour <= 18; ++hour) {
        const WallTime from = utc("2026-02-28 21:00") + hours{hour};
        const auto found = next_start_interval(schedule, from, hours{1});
        ASSERT_TRUE(found.has_value()) << hour;
        EXPECT_LE(found->begins, from) << hour;
        EXPECT_GE(found->ends, from + hours{1}) << hour;
    }
}

TEST(DescribeFreeze, SaysWhy) {
    Schedule schedule;
    schedule.freezes = {freeze("2026-12-20", "2027-01-05", "year end"),
                        freeze("2027-02-01", "2027-02-02")};
    const auto told = [&](const char* from, const char* until) {
        return describe_freeze(schedule, utc(from), utc(until));
    };
    EXPECT_EQ(told("2027-01-01", "2027-01-05"), "a freeze (year end)");
    EXPECT_EQ(told("2027-01-01", "2027-02-03"), "a freeze") << "the last one";
    EXPECT_EQ(told("2027-01-05", "2027-01-20"), std::nullopt);
}

}  // namespace
}  // namespace keyturn
