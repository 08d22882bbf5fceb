#include "schedule/cron.hpp"

#include "fakes/schedules.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> calendars(std::string_view text) {
    std::vector<std::string> texts;
    for (const Calendar& calendar : parse_cron(text).value()) texts.push_back(calendar.text());
    return texts;
}

TEST(Cron, IsACalendar) {
    EXPECT_THAT(calendars("30 3 * * *"), ElementsAre("*-*-* 03:30:00"));
    EXPECT_THAT(calendars("*/15 * * * *"), ElementsAre("*-*-* *:00..45/15:00"));
    EXPECT_THAT(calendars("0 9-17 * * mon-fri"), ElementsAre("Mon..Fri *-*-* 09..17:00:00"));
    EXPECT_THAT(calendars("5,10,11,12,40 0 1 JAN,jul *"),
                ElementsAre("*-01,07-01 00:05,10..12,40:00"));
    EXPECT_THAT(calendars("0 0-23/6 * * *"), ElementsAre("*-*-* 00..18/6:00:00"));
}

TEST(Cron, SundayHasTwoNumbers) {
    EXPECT_THAT(calendars("0 0 * * 0"), ElementsAre("Sun *-*-* 00:00:00"));
    EXPECT_THAT(calendars("0 0 * * 7"), ElementsAre("Sun *-*-* 00:00:00"));
    EXPECT_THAT(calendars("0 0 * * 5-7"), ElementsAre("Fri..Sun *-*-* 00:00:00"));
    EXPECT_THAT(calendars("0 0 * * 0-7"), ElementsAre("*-*-* 00:00:00"));
}

TEST(Cron, TakesADayThatFitsEitherWhereBothAreRestricted) {
    EXPECT_THAT(calendars("0 3 1 * mon"), ElementsAre("*-*-01 03:00:00", "Mon *-*-* 03:00:00"));
    // A star at the front makes it both, as in cron itself.
    EXPECT_THAT(calendars("0 3 */2 * mon"), ElementsAre("Mon *-*-01..31/2 03:00:00"));
}

TEST(Cron, HasWords) {
    EXPECT_THAT(calendars("@weekly"), ElementsAre("Sun *-*-* 00:00:00"));
    EXPECT_THAT(calendars("@Monthly"), ElementsAre("*-*-01 00:00:00"));
    EXPECT_THAT(calendars("@yearly"), ElementsAre("*-01-01 00:00:00"));
    EXPECT_THAT(calendars("@hourly"), ElementsAre("*-*-* *:00:00"));
}

TEST(Cron, AStepMayBeLongerThanTheField) {
    EXPECT_THAT(calendars("*/60 */999999999 * * *"), ElementsAre("*-*-* 00:00:00"));
}

struct Refusal {
    const char* written;
    const char* reason;
};

class RefusedCron : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedCron, SaysWhy) {
    const auto read = parse_cron(GetParam().written);
    ASSERT_FALSE(read.has_value());
    EXPECT_THAT(read.error().text, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Cron, RefusedCron,
    testing::Values(
        Refusal{"", "it has 0 fields, not 5"}, Refusal{"* * * *", "it has 4 fields"},
        Refusal{"0 0 * * * root", "it has 6 fields"},
        Refusal{"60 * * * *", "its minute `60` is not between 0 and 59"},
        Refusal{"0 24 * * *", "its hour `24` is not between"},
        Refusal{"0 0 0 * *", "its day of month `0` is not between"},
        Refusal{"0 0 * 13 *", "its month `13` is not between 1 and 12"},
        Refusal{"0 0 * * 8", "its day of week `8` is not between"},
        Refusal{"0 0 * * fri-mon", "its day of week `fri-mon` is a range that runs backwards"},
        Refusal{"5/10 * * * *", "its minute `5/10` has a step after a single value"},
        Refusal{"*/0 * * * *", "its minute `*/0` has a step of 0"},
        Refusal{"1,,2 * * * *", "its minute has an empty part before, between or after commas"},
        Refusal{"-1 * * * *", "its minute `-1` must consist of numbers"},
        Refusal{"0 0 L * *", "its day of month `L` must consist of numbers"},
        Refusal{"99999999999 * * * *", "its minute `99999999999` is not"},
        Refusal{"12345678901234567 * * * *", "its minute is not"},
        Refusal{"?a * * * *", "its minute `?a` must"}, Refusal{"@reboot", "a reboot is not a time"},
        Refusal{"@often", "`@often` is not one of its words, which are @hourly"},
        Refusal{"often", "it has 1 field, not 5"}));

TEST(Cron, LongTextIsRefused) {
    EXPECT_THAT(parse_cron(std::string(600, '*')).error().text, HasSubstr("is longer than 512"));
}

}  // namespace
}  // namespace keyturn
