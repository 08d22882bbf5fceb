#include "schedule/calendar.hpp"

#include "fakes/schedules.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> next(std::string_view expression, const std::string& after, int count,
                              const TimeZone& zone = {}) {
    std::vector<std::string> moments;
    const Calendar asked = calendar(expression);
    std::optional<WallTime> moment = utc(after);
    while (count-- > 0 && (moment = asked.next_after(*moment, zone))) {
        moments.push_back(to_text(*moment));
    }
    return moments;
}

struct Form {
    const char* written;
    const char* normal;
};

/// Each as `systemd-analyze calendar` prints it; schedule.differential compares thousands.
class NormalForm : public testing::TestWithParam<Form> {};

TEST_P(NormalForm, IsSystemds) {
    const Result<Calendar> read = parse_calendar(GetParam().written);
    ASSERT_TRUE(read.has_value()) << read.error().text;
    EXPECT_EQ(read->text(), GetParam().normal);
    EXPECT_EQ(calendar(read->text()), *read);
}

INSTANTIATE_TEST_SUITE_P(
    Calendar, NormalForm,
    testing::Values(
        Form{"Sat,Sun 02:00", "Sat,Sun *-*-* 02:00:00"},
        Form{"Thu,Fri 2012-*-1,5 11:12:13", "Thu,Fri 2012-*-01,05 11:12:13"},
        Form{"Mon *-05~07/1", "Mon *-05~07/1 00:00:00"},
        Form{"Sun *-*-1..7 03:00", "Sun *-*-01..07 03:00:00"},
        Form{"mon-fri 9:0", "Mon..Fri *-*-* 09:00:00"},
        Form{"Mon,Tue,Wednesday,sun", "Mon..Wed,Sun *-*-* 00:00:00"},
        Form{"Mon..Sun 1:0", "*-*-* 01:00:00"}, Form{"Mon,", "Mon *-*-* 00:00:00"},
        Form{"*:*:*", "*-*-* *:*:*"}, Form{"*:0/15", "*-*-* *:00/15:00"},
        Form{"*:*:0/1", "*-*-* *:*:*"}, Form{"12,14,13,12..12:0", "*-*-* 12,13,14:00:00"},
        Form{"1..6/2:0", "*-*-* 01..05/2:00:00"}, Form{"10..12/4:0", "*-*-* 10:00:00"},
        Form{"70-1-1", "1970-01-01 00:00:00"}, Form{"69-1-1", "2069-01-01 00:00:00"},
        Form{"@86400", "1970-01-02 00:00:00 UTC"},
        Form{"*~* 3:0 Europe/Berlin", "*-*-* 03:00:00 Europe/Berlin"},
        Form{"daily utc", "*-*-* 00:00:00 UTC"}, Form{"minutely", "*-*-* *:*:00"},
        Form{"Hourly", "*-*-* *:00:00"}, Form{"weekly", "Mon *-*-* 00:00:00"},
        Form{"monthly", "*-*-01 00:00:00"}, Form{"quarterly", "*-01,04,07,10-01 00:00:00"},
        Form{"semi-annually", "*-01,07-01 00:00:00"}, Form{"yearly", "*-01-01 00:00:00"}));

TEST(Calendar, FollowsWeekdaysAndDatesTogether) {
    EXPECT_THAT(next("Sun *-*-1..7 03:00", "2026-03-01 03:00", 2),
                ElementsAre("2026-04-05T03:00:00Z", "2026-05-03T03:00:00Z"));
    EXPECT_THAT(next("Mon *-02-29", "2026-01-01 00:00", 2),
                ElementsAre("2044-02-29T00:00:00Z", "2072-02-29T00:00:00Z"));
}

TEST(Calendar, CountsFromTheMonthsEnd) {
    EXPECT_THAT(next("*-*~1", "2026-01-31 00:00", 2),
                ElementsAre("2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"));
    EXPECT_THAT(next("*-*~3..7/2", "2026-03-01 00:00", 4),
                ElementsAre("2026-03-25T00:00:00Z", "2026-03-27T00:00:00Z", "2026-03-29T00:00:00Z",
                            "2026-04-24T00:00:00Z"));
    EXPECT_THAT(
        next("*-*~7/3", "2026-03-01 00:00", 3),
        ElementsAre("2026-03-25T00:00:00Z", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"));
}

TEST(Calendar, RepeatsToTheEndOfTheUnitAndNotBeyond) {
    EXPECT_THAT(
        next("*-*-05/11", "2030-12-15 00:00", 3),
        ElementsAre("2030-12-16T00:00:00Z", "2030-12-27T00:00:00Z", "2031-01-05T00:00:00Z"));
    EXPECT_THAT(
        next("5/10,0:0", "2032-02-29 22:00", 3),
        ElementsAre("2032-03-01T00:00:00Z", "2032-03-01T05:00:00Z", "2032-03-01T15:00:00Z"));
}

TEST(Calendar, ComesStrictlyAfter) {
    const Calendar daily = calendar("*-*-* 03:00");
    const WallTime three = utc("2026-03-01 03:00");
    EXPECT_EQ(daily.next_after(three - Milliseconds{1}, {}), three);
    EXPECT_EQ(daily.next_after(three, {}), three + std::chrono::days{1});
}

TEST(Calendar, Ends) {
    EXPECT_THAT(next("2026-03-01 03:00", "2026-03-01 02:00", 3),
                ElementsAre("2026-03-01T03:00:00Z"));
    EXPECT_THAT(next("*-02-30", "2026-03-01 02:00", 1), ElementsAre());
    EXPECT_THAT(next("hourly", "2199-12-31 22:30", 3), ElementsAre("2199-12-31T23:00:00Z"));
}

TEST(Calendar, TimeThatClocksJumpOverComesWhenTheyHaveJumped) {
    const TimeZone berlin = zone_named("Europe/Berlin");
    EXPECT_THAT(
        next("*-*-* 02:30", "2026-03-28 00:00", 3, berlin),
        ElementsAre("2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"));
    // Several that fall into the gap, and one at its end, are one.
    EXPECT_THAT(next("*:0/20", "2026-03-29 00:40", 2, berlin),
                ElementsAre("2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z"));
}

TEST(Calendar, TimeThatClocksShowTwiceComesOnce) {
    const TimeZone berlin = zone_named("Europe/Berlin");
    EXPECT_THAT(next("*-*-* 02:30", "2026-10-24 12:00", 2, berlin),
                ElementsAre("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"));
    EXPECT_THAT(next("*:30", "2026-10-25 00:00", 2, berlin),
                ElementsAre("2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"));
}

TEST(Calendar, ZoneOfItsOwnComesFirst) {
    EXPECT_THAT(next("12:00 Asia/Tokyo", "2026-03-01 00:00", 1, zone_named("Europe/Berlin")),
                ElementsAre("2026-03-01T03:00:00Z"));
    EXPECT_EQ(calendar("12:00 Asia/Tokyo").zone(), zone_named("Asia/Tokyo"));
    EXPECT_EQ(calendar("12:00").zone(), std::nullopt);
}

struct Refusal {
    const char* written;
    const char* reason;
};

class RefusedCalendar : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedCalendar, SaysWhy) {
    const Result<Calendar> read = parse_calendar(GetParam().written);
    ASSERT_FALSE(read.has_value()) << read->text();
    EXPECT_THAT(read.error().text, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Calendar, RefusedCalendar,
    testing::Values(Refusal{"", "it names no time"}, Refusal{"foo", "`foo` is not a weekday"},
                    Refusal{"anextraordinaryword", "a word in it is not a weekday"},
                    Refusal{"Sun..Mon 2:0", "runs backwards"}, Refusal{"Mon.. 2:0", "has no end"},
                    Refusal{"Mon..Tue..Wed", "a weekday must be followed by"},
                    Refusal{"Mon/2 1:0", "a weekday must be followed by"},
                    Refusal{"25:00", "hours must be between 0 and 23, not 25"},
                    Refusal{"12:60", "minutes must be between 0 and 59, not 60"},
                    Refusal{"*-13-1", "months must be between 1 and 12"},
                    Refusal{"*-1-32", "days must be between 1 and 31"},
                    Refusal{"*-1~29", "days must be between 1 and 28"},
                    Refusal{"2200-1-1", "years must be between 1970 and 2199"},
                    Refusal{"12", "its time does not continue"},
                    Refusal{"1-2-3-4", "its date does not continue"},
                    Refusal{"*~1~2", "its date does not continue"},
                    Refusal{"1:2:3:4", "`:4` follows the time"},
                    Refusal{"03:00 +02:00", "`+02:00` follows the time"},
                    Refusal{"1:0/0", "repetition step is 0"},
                    Refusal{"1..:0", "a number is missing before `:0`"},
                    Refusal{"1:", "a number is missing at its end"},
                    Refusal{"99999999999:0", "its number `99999999999` is out of range"},
                    Refusal{"@99999999999", "out of range"},
                    Refusal{"12:00:00.5", "fractions of a second"},
                    Refusal{"03:00:00/0.42", "fractions of a second"},
                    Refusal{"03:00:00/1.5", "fractions of a second"},
                    Refusal{"0:0:5..5", "ends where it begins"},
                    Refusal{"12:00 Mars/Olympus", "its last word is not a time zone"},
                    Refusal{"every sunday", "`every` is not a weekday"},
                    Refusal{"03:00 Sun", "`Sun` follows the time"},
                    Refusal{"12:00 local", "its last word `local` is not a time zone"},
                    Refusal{"*/5:00", "its date does not continue"}));

TEST(Calendar, LongTextIsRefused) {
    EXPECT_THAT(parse_calendar(std::string(600, '*')).error().text,
                HasSubstr("is longer than 512"));
}

}  // namespace
}  // namespace keyturn
