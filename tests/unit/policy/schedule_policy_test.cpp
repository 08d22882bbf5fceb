// What a policy says of when: occasions, windows, freezes and zones.
#include "policy/expected.hpp"
#include "unit/policy/parts.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

Schedule schedule_of(const std::string& text) {
    const PolicyOutcome outcome = parse_policy(completed(text), "keyturn.yaml");
    EXPECT_EQ(problems_of(outcome), "");
    return std::get<Policy>(outcome).tunnels.at(0).schedule;
}

std::vector<std::string> texts(const std::vector<Calendar>& calendars) {
    std::vector<std::string> result;
    for (const Calendar& calendar : calendars) result.push_back(calendar.text());
    return result;
}

LocalTime midnight(int year, unsigned month, unsigned day) {
    return std::chrono::local_days{std::chrono::year{year} / static_cast<int>(month) /
                                   static_cast<int>(day)};
}

TEST(SchedulePolicy, IsAnyTimeAndOnDemandWithoutAWord) {
    EXPECT_EQ(schedule_of(""), Schedule{});
    EXPECT_FALSE(Schedule{}.scheduled());
}

TEST(SchedulePolicy, IsReadInFull) {
    const Schedule schedule = schedule_of(R"(
defaults:
  timezone: Europe/Berlin
  rotate: {every: 30d, max_age: 45d, splay: 1h, min_interval: 2d}
  windows:
    - {start: "Sat,Sun 02:00", length: 4h}
    - start: "*-*-15 22:30 UTC"
      length: 90min
  freeze:
    - {from: 2026-12-20, to: 2027-01-04, why: year end}
    - {from: "2026-05-01 18:00", to: "2026-05-01 18:00:30"}
)");
    EXPECT_EQ(schedule.zone.name(), "Europe/Berlin");
    EXPECT_EQ(schedule.every, days{30});
    EXPECT_EQ(schedule.max_age, days{45});
    EXPECT_EQ(schedule.splay, hours{1});
    EXPECT_EQ(schedule.min_interval, days{2});
    ASSERT_EQ(schedule.windows.size(), 2U);
    EXPECT_EQ(schedule.windows[0].start.text(), "Sat,Sun *-*-* 02:00:00");
    EXPECT_EQ(schedule.windows[0].length, hours{4});
    EXPECT_EQ(schedule.windows[1].start.text(), "*-*-15 22:30:00 UTC");
    EXPECT_EQ(schedule.windows[1].length, minutes{90});
    const LocalTime evening = midnight(2026, 5, 1) + hours{18};
    EXPECT_THAT(schedule.freezes,
                ElementsAre(Freeze{midnight(2026, 12, 20), midnight(2027, 1, 5), "year end"},
                            Freeze{evening, evening + seconds{30}, ""}));
}

TEST(SchedulePolicy, LastDayOfAFreezeIsPartOfIt) {
    const Schedule schedule =
        schedule_of("defaults:\n  freeze: [{from: 2026-12-24, to: 2026-12-24}]\n");
    EXPECT_THAT(schedule.freezes,
                ElementsAre(Freeze{midnight(2026, 12, 24), midnight(2026, 12, 25), ""}));
}

TEST(SchedulePolicy, OccasionIsAnAgeACalendarOrCron) {
    EXPECT_THAT(
        texts(schedule_of("defaults: {rotate: {calendar: 'Sun *-*-1..7 03:00'}}\n").calendars),
        ElementsAre("Sun *-*-01..07 03:00:00"));
    EXPECT_THAT(
        texts(
            schedule_of("defaults: {rotate: {cron: '0 3 1 * sun', min_interval: 1h}}\n").calendars),
        ElementsAre("*-*-01 03:00:00", "Sun *-*-* 03:00:00"));
}

constexpr const char* own_words = R"(
defaults:
  account: 699d98642c564d2e855e9661899b7252
  credential: main
  rotate: {every: 30d, max_age: 45d}
  windows: [{start: "Sun 02:00", length: 4h}]
  freeze: [{from: 2026-12-20, to: 2027-01-04}]
tunnels:
  web:
    tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415
    units: ["web@*.service"]
    timezone: Asia/Tokyo
)";

TEST(SchedulePolicy, TunnelsOccasionTakesThePlaceOfTheDefaultOne) {
    const Schedule schedule =
        schedule_of(std::string{own_words} + "    rotate: {calendar: monthly}\n");
    EXPECT_EQ(schedule.every, Milliseconds{0});
    EXPECT_THAT(texts(schedule.calendars), ElementsAre("*-*-01 00:00:00"));
    EXPECT_EQ(schedule.max_age, days{45});
    EXPECT_EQ(schedule.zone.name(), "Asia/Tokyo");
}

TEST(SchedulePolicy, TunnelsListTakesThePlaceOfTheDefaultOne) {
    const Schedule schedule = schedule_of(
        std::string{own_words} + "    windows: [{start: '04:00', length: 1h}]\n    freeze: []\n");
    ASSERT_EQ(schedule.windows.size(), 1U);
    EXPECT_EQ(schedule.windows[0].length, hours{1});
    EXPECT_TRUE(schedule.freezes.empty());
    EXPECT_EQ(schedule_of(own_words).windows.size(), 1U);
    EXPECT_TRUE(schedule_of(std::string{own_words} + "    windows: []\n").windows.empty());
}

TEST(SchedulePolicy, WindowsThatTouchMayBeLongEnoughTogether) {
    schedule_of(R"(
defaults:
  windows: [{start: "22:00", length: 2h}, {start: "00:00", length: 2h}]
  rollout: {soak: 3h, progress_deadline: 6h}
)");
}

TEST(ExpectedDuration, IsWhatThePolicyMakesItWait) {
    RolloutPolicy rollout;
    EXPECT_EQ(expected_duration(rollout, 1), seconds{5 + 15 + 10});
    EXPECT_EQ(expected_duration(rollout, 4), seconds{5 + 4 * 15 + 10} + minutes{10});
    rollout.batches = 4;
    EXPECT_EQ(expected_duration(rollout, 4), seconds{5 + 4 * 15 + 10} + minutes{30});
    EXPECT_EQ(expected_duration(rollout, 2), seconds{5 + 2 * 15 + 10} + minutes{10});
    EXPECT_EQ(expected_duration(rollout, 0), seconds{15});
}

}  // namespace
}  // namespace keyturn
