// What is suggested in place of a refused time is taken, and comes when the author's words mean.
#include "policy/time_hint.hpp"

#include "fakes/schedules.hpp"
#include "policy/time_value.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace keyturn {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr int moments_compared = 400;

/// The next moments at which any of the calendars comes due.
std::vector<WallTime> moments_of(const std::vector<Calendar>& calendars) {
    const TimeZone zone = zone_named("Europe/Berlin");
    std::vector<WallTime> moments;
    WallTime after = utc("2026-01-15 00:00");
    while (moments.size() < moments_compared) {
        std::optional<WallTime> first;
        for (const Calendar& calendar : calendars) {
            const auto next = calendar.next_after(after, zone);
            if (next && (!first || *next < *first)) first = next;
        }
        if (!first) break;
        moments.push_back(*first);
        after = *first;
    }
    return moments;
}

std::vector<Calendar> calendars_named(const std::vector<const char*>& texts) {
    std::vector<Calendar> calendars;
    for (const char* const text : texts) calendars.push_back(calendar(text));
    return calendars;
}

/// What stands between the last two backticks.
std::string suggestion_in(const std::string& text) {
    const auto end = text.rfind('`');
    const auto begin = text.rfind('`', end - 1);
    if (end == std::string::npos || begin == std::string::npos) return {};
    return text.substr(begin + 1, end - begin - 1);
}

struct Case {
    const char* written;
    const char* suggested;           ///< Word for word.
    std::vector<const char*> means;  ///< Systemd's words for what the author's words mean.
};

void PrintTo(const Case& test, std::ostream* stream) {
    *stream << test.written;
}

std::vector<Calendar> as_calendar(const std::string& text) {
    return std::get<std::vector<Calendar>>(read_calendar(text).value());
}
std::vector<Calendar> as_cron(const std::string& text) {
    return std::get<std::vector<Calendar>>(read_cron(text).value());
}

class CronSuggestion : public testing::TestWithParam<Case> {};

TEST_P(CronSuggestion, ComesWhenTheAuthorMeant) {
    const Case& test = GetParam();
    const auto read = read_cron(test.written);
    ASSERT_FALSE(read);
    ASSERT_EQ(suggestion_in(read.error().text), test.suggested) << read.error().text;
    const auto moments = moments_of(as_cron(test.suggested));
    EXPECT_EQ(moments, moments_of(calendars_named(test.means)));
    EXPECT_FALSE(moments.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Times, CronSuggestion,
    testing::Values(Case{"0/15 * * * *", "0-59/15 * * * *", {"*:0/15"}},
                    Case{"5/20 3 * * *", "5-59/20 3 * * *", {"03:05/20"}},
                    Case{"0 2/6 * * *", "0 2-23/6 * * *", {"2/6:00"}},
                    Case{"0 3 * * mon-sun", "0 3 * * mon-7", {"03:00"}},
                    Case{"0 3 1 * mon-sun", "0 3 1 * mon-7", {"03:00"}},
                    Case{"0 3 * * fri-mon", "0 3 * * fri-7,0-mon", {"Fri..Sun,Mon 03:00"}},
                    Case{"0 3 * * 6-0", "0 3 * * 6-7", {"Sat,Sun 03:00"}},
                    Case{"0 22-4 * * *", "0 22-23,0-4 * * *", {"22,23,0..4:00"}},
                    Case{"0 3 28-3 * *", "0 3 28-31,1-3 * *", {"*-*-28..31,1..3 03:00"}},
                    Case{"0 3 1 nov-feb *", "0 3 1 nov-12,1-feb *", {"*-11,12,1,2-01 03:00"}},
                    Case{"0 3 ? * sat", "0 3 * * sat", {"Sat 03:00"}},
                    Case{"0 3 15 * ?", "0 3 15 * *", {"*-*-15 03:00"}},
                    Case{"0 3 ? * MON-SUN", "0 3 * * mon-7", {"03:00"}},
                    Case{"daily", "@daily", {"daily"}}, Case{"monthly", "@monthly", {"monthly"}},
                    Case{"Yearly", "@yearly", {"yearly"}}, Case{"hourly", "@hourly", {"hourly"}}));

class CalendarSuggestion : public testing::TestWithParam<Case> {};

TEST_P(CalendarSuggestion, ComesWhenTheAuthorMeant) {
    const Case& test = GetParam();
    const auto read = read_calendar(test.written);
    ASSERT_FALSE(read);
    ASSERT_THAT(read.error().text, HasSubstr("`" + std::string{test.suggested} + "`"));
    const auto moments = moments_of(as_calendar(test.suggested));
    EXPECT_EQ(moments, moments_of(calendars_named(test.means)));
    EXPECT_FALSE(moments.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Times, CalendarSuggestion,
    testing::Values(Case{"@daily", "*-*-* 00:00:00", {"00:00"}},
                    Case{"@midnight", "*-*-* 00:00:00", {"00:00"}},
                    Case{"@weekly", "Sun *-*-* 00:00:00", {"Sun 00:00"}},
                    Case{"@monthly", "*-*-01 00:00:00", {"*-*-01"}},
                    Case{"@yearly", "*-01-01 00:00:00", {"*-01-01"}},
                    Case{"@annually", "*-01-01 00:00:00", {"*-01-01"}},
                    Case{"@hourly", "*-*-* *:00:00", {"*:00"}},
                    Case{"0 3 * * 0", "Sun *-*-* 03:00:00", {"Sun 03:00"}},
                    Case{"0/15 * * * *", "*-*-* *:00..45/15:00", {"*:0/15"}},
                    Case{"0 3 L * ?", "*-*~01 03:00:00", {"*-*~1 03:00"}},
                    Case{"Sat..Mon 02:00", "Sat..Sun,Mon..Mon 02:00", {"Sat,Sun,Mon 02:00"}},
                    Case{"Sun-Tue 02:00", "Sun..Sun,Mon..Tue 02:00", {"Sun,Mon,Tue 02:00"}},
                    Case{"03:00 Sun", "Sun 03:00", {"Sun 03:00"}},
                    Case{"Sun 03:00 UTC+2", "Sun 03:00 Etc/GMT-2", {"Sun 01:00 UTC"}},
                    Case{"03:00 +02:00", "03:00 Etc/GMT-2", {"01:00 UTC"}},
                    Case{"03:00 -0500", "03:00 Etc/GMT+5", {"08:00 UTC"}},
                    Case{"03:00 Z", "03:00 UTC", {"03:00 UTC"}},
                    Case{"03:00 europe/berlin", "03:00 Europe/Berlin", {"03:00 Europe/Berlin"}}));

TEST(CronSuggestions, AreLeftOutWhereTheWordsMeanSeveralThings) {
    for (const char* const written :
         {"0 0 3 * * *", "0 0 3 * * ?", "0 3 * * ? *", "0 3 * * 5L", "0 3 * * 1#2", "0 3 15W * *",
          "60 * * * *", "0 3 * * 8", "99999999999 * * * *", "@reboot", "@often", "",
          "0 3 * * fri-mon/2", "0 3 * * 1/2"}) {
        const auto read = read_cron(written);
        ASSERT_FALSE(read) << written;
        // What may stand there is the example of every message, not a reading of these words.
        const std::string text = read.error().text;
        EXPECT_THAT(text, EndsWith("write five fields such as `30 3 * * sat`")) << written;
        EXPECT_THAT(text, Not(HasSubstr("; write `"))) << written;
    }
}

TEST(CronSuggestions, AreLeftOutWhereWeekdaysAreCountedInTwoWays) {
    for (const char* const written : {"0 3 ? * 1", "0 3 ? * 2-6"}) {
        const std::string text = read_cron(written).error().text;
        EXPECT_THAT(text, HasSubstr("weekdays by name")) << written;
        EXPECT_THAT(text, Not(HasSubstr("; write `0"))) << written;
    }
}

TEST(CronSuggestions, NameTheOtherKey) {
    EXPECT_THAT(read_cron("Sun 03:00").error().text, HasSubstr("write it under `calendar:`"));
    EXPECT_THAT(read_cron("weekly").error().text,
                HasSubstr("`@weekly` is Sun *-*-* 00:00:00, and under `calendar:` `weekly` is Mon "
                          "*-*-* 00:00:00"));
    EXPECT_THAT(read_cron("quarterly").error().text, HasSubstr("write it under `calendar:`"));
    EXPECT_THAT(read_cron("@every 720h").error().text, HasSubstr("write `every: 720h`"));
    EXPECT_THAT(read_cron("0 3 L * *").error().text,
                HasSubstr("write `calendar: \"*-*~01 03:00:00\"`"));
    EXPECT_THAT(read_calendar("0 3 1 * mon").error().text, HasSubstr("write it under `cron:`"));
}

TEST(ZoneSuggestions, HaveTheSameOffset) {
    struct Zone {
        const char* written;
        const char* suggested;
        std::chrono::minutes east;
    };
    using std::chrono::hours;
    const Zone zones[] = {{"UTC+2", "Etc/GMT-2", hours{2}},
                          {"+02:00", "Etc/GMT-2", hours{2}},
                          {"-05:00", "Etc/GMT+5", hours{-5}},
                          {"utc-5", "Etc/GMT+5", hours{-5}},
                          {"+0200", "Etc/GMT-2", hours{2}},
                          {"+14", "Etc/GMT-14", hours{14}},
                          {"UTC+0", "UTC", hours{0}},
                          {"utc", "UTC", hours{0}},
                          {"Z", "UTC", hours{0}}};
    for (const Zone& test : zones) {
        const auto read = read_time_zone(test.written);
        ASSERT_FALSE(read) << test.written;
        ASSERT_THAT(read.error().text, HasSubstr("; write `" + std::string{test.suggested} + "`"));
        const TimeZone zone = zone_named(test.suggested);
        for (const char* const moment : {"2026-01-15 12:00", "2026-07-15 12:00"}) {
            EXPECT_EQ(zone.local(utc(moment)), clock_time(moment) + test.east) << test.written;
        }
    }
}

TEST(ZoneSuggestions, AreLeftOutWhereNobodyKnowsWhichClocksAreMeant) {
    for (const char* const written :
         {"PST", "CEST", "IST", "BST", "AEST", "PDT", "GMT+2", "+05:30", "UTC+5:45"}) {
        const std::string text = read_time_zone(written).error().text;
        EXPECT_THAT(text, HasSubstr("place")) << written;
        EXPECT_THAT(text, Not(HasSubstr("did you mean"))) << written;
        EXPECT_THAT(text, Not(HasSubstr("; write `"))) << written;
        const std::string in_calendar = read_calendar(std::string{"03:00 "} + written).error().text;
        EXPECT_THAT(in_calendar, HasSubstr("place")) << written;
        EXPECT_THAT(in_calendar, Not(HasSubstr("; write `03"))) << written;
    }
}

/// Names of the tz database that look like abbreviations; some hosts have them, some do not.
TEST(ZoneSuggestions, NeverTakeAZoneWithSummerTimeForAnother) {
    struct Zone {
        const char* written;
        std::chrono::hours winter;
    };
    for (const Zone& test :
         {Zone{"CET", std::chrono::hours{1}}, Zone{"EST5EDT", std::chrono::hours{-5}}}) {
        const auto read = read_time_zone(test.written);
        if (!read) {
            EXPECT_THAT(read.error().text, HasSubstr("an abbreviation does not say"));
            continue;
        }
        const TimeZone zone = std::get<TimeZone>(*read);
        EXPECT_EQ(zone.local(utc("2026-01-15 12:00")),
                  clock_time("2026-01-15 12:00") + test.winter);
        EXPECT_EQ(zone.local(utc("2026-07-15 12:00")),
                  clock_time("2026-07-15 12:00") + test.winter + std::chrono::hours{1});
    }
}

TEST(CalendarHints, SayHowHoursAndLocalTimeAreWritten) {
    EXPECT_THAT(read_calendar("03:00 PM").error().text, HasSubstr("hours go from 0 to 23"));
    EXPECT_THAT(read_calendar("03:00 local").error().text, HasSubstr("`timezone: local`"));
    EXPECT_THAT(read_calendar("every sunday").error().text, HasSubstr("`every` is not a weekday"));
}

}  // namespace
}  // namespace keyturn
