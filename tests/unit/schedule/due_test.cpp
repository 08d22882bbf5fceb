#include "schedule/due.hpp"

#include "fakes/schedules.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <set>

namespace keyturn {

void PrintTo(const Due& due, std::ostream* out) {
    *out << "due " << to_text(due.due) << ", start "
         << (due.start ? to_text(*due.start) : std::string{"never"}) << ", " << name_of(due.cause);
}

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

const WallTime first_seen = utc("2026-03-01 02:00");
const WallTime last_done = utc("2026-04-10 03:00");

Schedule every(Milliseconds age) {
    Schedule schedule;
    schedule.every = age;
    schedule.splay = Milliseconds{0};
    return schedule;
}

/// Every 30 days, in the night to Sunday.
Schedule weekly_window() {
    Schedule schedule = every(days{30});
    schedule.windows = {window("Sun 02:00", hours{4})};
    return schedule;
}

Due due(const std::string& when) {
    return {utc(when), utc(when), StartCause::due};
}

Due due(const std::string& when, const std::string& start, StartCause cause) {
    return {utc(when), utc(start), cause};
}

std::optional<Due> asked(const Schedule& schedule, const TokenAge& age, WallTime now = first_seen) {
    return next_due(schedule, age, {hours{1}, 0.0}, now);
}

TEST(NextDue, NeverForATunnelThatIsRotatedOnDemand) {
    EXPECT_EQ(asked(Schedule{}, {first_seen, std::nullopt}), std::nullopt);
    EXPECT_EQ(asked(Schedule{}, {first_seen, last_done}), std::nullopt);
}

TEST(NextDue, CountsFromTheLastRotation) {
    EXPECT_EQ(asked(every(days{30}), {first_seen, last_done}), due("2026-05-10 03:00"));
}

TEST(NextDue, CountsFromFirstSeenWithoutHistory) {
    EXPECT_EQ(asked(every(days{30}), {first_seen, std::nullopt}), due("2026-03-31 02:00"));
}

TEST(NextDue, CountsFromTheLastRotationEvenIfTheTunnelWasSeenLater) {
    // A state directory that was lost and made anew beside a history that was kept.
    EXPECT_EQ(asked(every(days{30}), {last_done, first_seen}), due("2026-03-31 02:00"));
}

TEST(NextDue, MayLieInThePast) {
    // One catch-up after downtime: the caller sees that it is late and starts once.
    EXPECT_EQ(asked(every(days{30}), {first_seen, last_done}, utc("2027-01-01")),
              due("2026-05-10 03:00"));
}

TEST(NextDue, KeepsTheMinimumInterval) {
    EXPECT_EQ(asked(every(hours{1}), {first_seen, last_done}), due("2026-04-11 03:00"));
    EXPECT_EQ(asked(every(hours{1}), {first_seen, std::nullopt}), due("2026-03-01 03:00"));
}

TEST(NextDue, KeepsTheMillisecond) {
    Schedule schedule = every(Milliseconds{250});
    schedule.min_interval = Milliseconds{0};
    const auto next = asked(schedule, {first_seen, last_done + Milliseconds{7}});
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(next->start, last_done + Milliseconds{257});
}

TEST(NextDue, FollowsTheFirstOfItsCalendars) {
    Schedule schedule = every(Milliseconds{0});
    schedule.calendars = {calendar("*-*-15 04:00"), calendar("Mon *-*-1..7 03:00")};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}), due("2026-03-02 03:00"));
    EXPECT_EQ(asked(schedule, {first_seen, last_done}), due("2026-04-15 04:00"));
}

TEST(NextDue, PassesOverACalendarThatComesTooSoonAfterARotation) {
    Schedule schedule = every(Milliseconds{0});
    schedule.calendars = {calendar("Sun 03:00")};
    const TokenAge rotated_on_saturday{first_seen, utc("2026-04-11 20:00")};
    EXPECT_EQ(asked(schedule, rotated_on_saturday), due("2026-04-19 03:00"));
    const TokenAge rotated_a_day_before{first_seen, utc("2026-04-11 03:00")};
    EXPECT_EQ(asked(schedule, rotated_a_day_before), due("2026-04-12 03:00"));
}

TEST(NextDue, CalendarIsReadInTheZone) {
    Schedule schedule = every(Milliseconds{0});
    schedule.calendars = {calendar("*-*-* 02:30")};
    schedule.zone = zone_named("Europe/Berlin");
    EXPECT_EQ(asked(schedule, {utc("2026-03-28 12:00"), std::nullopt}), due("2026-03-29 01:00"));
    EXPECT_EQ(asked(schedule, {utc("2026-10-24 12:00"), std::nullopt}), due("2026-10-25 00:30"));
}

TEST(NextDue, TakesWhatComesFirstOfAgeAndCalendar) {
    Schedule schedule = every(days{30});
    schedule.calendars = {calendar("*-*-01 03:00")};
    EXPECT_EQ(asked(schedule, {first_seen, last_done}), due("2026-05-01 03:00"));
    EXPECT_EQ(asked(schedule, {utc("2026-02-01 00:00"), utc("2026-02-01 04:00")}),
              due("2026-03-01 03:00"));
}

TEST(NextDue, IsNothingWhenTheLastCalendarHasPassed) {
    Schedule schedule = every(Milliseconds{0});
    schedule.calendars = {calendar("2026-03-05 03:00")};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}), due("2026-03-05 03:00"));
    EXPECT_EQ(asked(schedule, {first_seen, last_done}), std::nullopt);
}

TEST(NextDue, WaitsForAWindow) {
    EXPECT_EQ(asked(weekly_window(), {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-05 02:00", StartCause::window));
}

TEST(NextDue, StartsAtOnceInsideOfAWindow) {
    EXPECT_EQ(asked(weekly_window(), {utc("2026-03-06 03:00"), std::nullopt}),
              due("2026-04-05 03:00"));
}

TEST(NextDue, WaitsForTheNextWindowWhereItWouldNotEndInThisOne) {
    EXPECT_EQ(asked(weekly_window(), {utc("2026-03-06 05:01"), std::nullopt}),
              due("2026-04-05 05:01", "2026-04-12 02:00", StartCause::window));
}

TEST(NextDue, MissedWindowIsMadeUpForInTheNext) {
    const TokenAge age{first_seen, std::nullopt};
    const Due missed = due("2026-03-31 02:00", "2026-04-05 02:00", StartCause::window);
    EXPECT_EQ(asked(weekly_window(), age, utc("2026-04-05 05:00")), missed);
    EXPECT_EQ(asked(weekly_window(), age, utc("2026-04-05 05:01")),
              due("2026-03-31 02:00", "2026-04-12 02:00", StartCause::window));
    // Once, however many windows were missed.
    EXPECT_EQ(asked(weekly_window(), age, utc("2026-06-10 00:00")),
              due("2026-03-31 02:00", "2026-06-14 02:00", StartCause::window));
}

TEST(NextDue, WaitsForTheEndOfAFreeze) {
    Schedule schedule = every(days{30});
    schedule.freezes = {freeze("2026-03-30", "2026-04-03", "audit")};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-03 00:00", StartCause::freeze));
}

TEST(NextDue, FreezeOverAWindowIsTheCause) {
    const TokenAge age{first_seen, std::nullopt};
    Schedule schedule = weekly_window();
    schedule.freezes = {freeze("2026-03-30", "2026-04-07")};
    EXPECT_EQ(asked(schedule, age),
              due("2026-03-31 02:00", "2026-04-12 02:00", StartCause::freeze));
    const Due after = due("2026-03-31 02:00", "2026-04-19 02:00", StartCause::window);
    EXPECT_EQ(asked(schedule, age, utc("2026-04-12 12:00")), after) << "it is over";
    schedule.freezes = {freeze("2026-03-30", "2026-04-03")};
    EXPECT_EQ(asked(schedule, age), due("2026-03-31 02:00", "2026-04-05 02:00", StartCause::window))
        << "it changes nothing";
}

TEST(NextDue, DoesNotStartWhatAFreezeWouldMeet) {
    Schedule schedule = every(days{30});
    schedule.freezes = {freeze("2026-03-31 02:30", "2026-04-03")};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-03 00:00", StartCause::freeze));
}

TEST(NextDue, FreezeThatEndsInAWindowLeavesItsRest) {
    Schedule schedule = weekly_window();
    schedule.freezes = {freeze("2026-03-30", "2026-04-05 04:00")};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-05 04:00", StartCause::freeze));
}

TEST(NextDue, MaxAgeBeatsAWindow) {
    Schedule schedule = weekly_window();
    schedule.max_age = days{32};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-02 02:00", StartCause::max_age));
    schedule.max_age = days{40};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-05 02:00", StartCause::window));
}

TEST(NextDue, MaxAgeBeatsWindowsThatAreNeverLongEnough) {
    Schedule schedule = weekly_window();
    schedule.windows = {window("Sun 02:00", minutes{30})};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              (Due{utc("2026-03-31 02:00"), std::nullopt, StartCause::never}));
    schedule.max_age = days{45};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-15 02:00", StartCause::max_age));
}

TEST(NextDue, MaxAgeInAFreezeComesAtItsEnd) {
    Schedule schedule = weekly_window();
    schedule.max_age = days{32};
    schedule.freezes = {freeze("2026-03-20", "2026-04-09")};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}),
              due("2026-03-31 02:00", "2026-04-09 00:00", StartCause::max_age));
}

TEST(NextDue, MaxAgeThatWasMissedWaitsForTheEndOfTheFreezeThatIsNow) {
    Schedule schedule = weekly_window();
    schedule.max_age = days{32};
    schedule.freezes = {freeze("2026-05-01", "2026-06-01")};
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}, utc("2026-05-10 12:00")),
              due("2026-03-31 02:00", "2026-06-01 00:00", StartCause::max_age));
    EXPECT_EQ(asked(schedule, {first_seen, std::nullopt}, utc("2026-04-20 12:00")),
              due("2026-03-31 02:00", "2026-04-02 02:00", StartCause::max_age));
}

TEST(NextDue, MaxAgeKeepsTheMinimumInterval) {
    Schedule schedule = every(Milliseconds{0});
    schedule.max_age = hours{2};
    EXPECT_EQ(asked(schedule, {first_seen, last_done}),
              due("2026-04-11 03:00", "2026-04-11 03:00", StartCause::max_age));
}

TEST(NextDue, SplayIsPartOfTheSlack) {
    Schedule schedule = weekly_window();
    schedule.splay = hours{24};
    const TokenAge age{first_seen, std::nullopt};
    const WallTime opens = utc("2026-04-05 02:00");
    // Four hours less one for the rotation.
    EXPECT_EQ(next_due(schedule, age, {hours{1}, 0.5}, first_seen)->start, opens + minutes{90});
    EXPECT_EQ(next_due(schedule, age, {hours{1}, 0.999999}, first_seen)->start->time_since_epoch() /
                  minutes{1},
              (opens + minutes{179}).time_since_epoch() / minutes{1});
    schedule.splay = minutes{20};
    EXPECT_EQ(next_due(schedule, age, {hours{1}, 0.5}, first_seen)->start, opens + minutes{10});
}

TEST(NextDue, SplayWithoutWindowsFollowsWhatIsDue) {
    Schedule schedule = every(days{30});
    schedule.splay = minutes{30};
    EXPECT_EQ(next_due(schedule, {first_seen, {}}, {hours{1}, 0.5}, first_seen)->start,
              utc("2026-03-31 02:15"));
}

TEST(NextDue, SplayIsAtMostATenthOfTheInterval) {
    Schedule schedule = every(hours{1});
    schedule.splay = minutes{30};
    EXPECT_EQ(next_due(schedule, {first_seen, {}}, {minutes{1}, 0.5}, first_seen)->start,
              utc("2026-03-01 03:03"));
}

TEST(NextDue, SplayAlsoSpreadsWhatIsTooOldAtTheEndOfAFreeze) {
    Schedule schedule = weekly_window();
    schedule.splay = minutes{30};
    schedule.max_age = days{32};
    schedule.freezes = {freeze("2026-03-20", "2026-04-09")};
    EXPECT_EQ(next_due(schedule, {first_seen, {}}, {hours{1}, 0.5}, first_seen)->start,
              utc("2026-04-09 00:15"));
}

TEST(NextDue, AThousandTunnelsThatFallDueBetweenWindowsDoNotStartTogether) {
    Schedule schedule = weekly_window();
    schedule.splay = hours{2};
    std::multiset<WallTime> minutes_of_start;
    for (int i = 0; i < 1000; ++i) {
        const TokenAge age{first_seen + minutes{i}, std::nullopt};
        const auto next = next_due(schedule, age, {hours{1}, i / 1000.0}, first_seen);
        ASSERT_TRUE(next && next->start);
        minutes_of_start.insert(std::chrono::floor<minutes>(*next->start));
    }
    EXPECT_EQ(*minutes_of_start.begin(), utc("2026-04-05 02:00"));
    EXPECT_EQ(*minutes_of_start.rbegin(), utc("2026-04-05 03:59"));
    for (const WallTime minute :
         std::set<WallTime>(minutes_of_start.begin(), minutes_of_start.end()))
        EXPECT_LE(minutes_of_start.count(minute), 9U);
}

TEST(NextDue, AnswersTheSameUntilTheStart) {
    Schedule schedule = weekly_window();
    schedule.splay = hours{2};
    const TokenAge age{first_seen, std::nullopt};
    const StartPlan plan{hours{1}, 0.7};
    const auto expected = next_due(schedule, age, plan, first_seen);
    for (WallTime now = first_seen; now <= *expected->start; now += hours{1}) {
        ASSERT_EQ(next_due(schedule, age, plan, now), expected) << to_text(now);
    }
}

TEST(Upcoming, CountsFromTheExpectedEndOfTheOneBefore) {
    const StartPlan plan{hours{1}, 0.0};
    const auto starts = upcoming(weekly_window(), {first_seen}, plan, first_seen, 3);
    EXPECT_EQ(starts,
              (std::vector{due("2026-03-31 02:00", "2026-04-05 02:00", StartCause::window),
                           due("2026-05-05 03:00", "2026-05-10 02:00", StartCause::window),
                           due("2026-06-09 03:00", "2026-06-14 02:00", StartCause::window)}));
}

TEST(Upcoming, EndsWhereNothingComes) {
    const StartPlan plan{hours{1}, 0.0};
    EXPECT_TRUE(upcoming(Schedule{}, {first_seen}, plan, first_seen, 3).empty());
    Schedule once = every(Milliseconds{0});
    once.calendars = {calendar("2026-03-05 03:00")};
    EXPECT_EQ(upcoming(once, {first_seen}, plan, first_seen, 3).size(), 1U);
    Schedule never = weekly_window();
    never.windows = {window("Sun 02:00", minutes{30})};
    const auto starts = upcoming(never, {first_seen}, plan, first_seen, 3);
    ASSERT_EQ(starts.size(), 1U);
    EXPECT_EQ(starts[0].cause, StartCause::never);
}

TEST(Upcoming, MakesUpOnceForWhatWasMissed) {
    const StartPlan plan{hours{1}, 0.0};
    const WallTime later = utc("2026-06-10 12:00");
    const auto starts = upcoming(every(days{30}), {first_seen}, plan, later, 2);
    EXPECT_EQ(starts, (std::vector{due("2026-03-31 02:00"), due("2026-07-10 13:00")}));
}

}  // namespace
}  // namespace keyturn
