#include "text_layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Printable, LetsNothingMoveTheCursor) {
    EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
    EXPECT_EQ(printable("a\xC2\x9B"
                        "31m"),
              "a?31m");
    EXPECT_EQ(printable("größer → 4"), "größer → 4");
    EXPECT_EQ(printable("\xC2"), "?");
    EXPECT_EQ(printable("a\u202Eb\u2066c\u200Bd"), "a?b?c?d");
}

TEST(Columns, CountCharactersNotBytes) {
    EXPECT_EQ(columns_of("größer"), 6U);
    EXPECT_EQ(padded("ö", 3), "ö  ");
    EXPECT_EQ(padded("long", 3), "long");
}

TEST(Fitted, CutsWithAMark) {
    EXPECT_EQ(fitted("cloudflared", 11), "cloudflared");
    EXPECT_EQ(fitted("cloudflared", 10), "cloudfl...");
    EXPECT_EQ(fitted("öäüöäü", 5), "öä...");
    EXPECT_EQ(fitted("cloud", 2), "cl");
}

TEST(Wrapped, BreaksBetweenWords) {
    EXPECT_THAT(wrapped("one two three four", 11, 2),
                ElementsAre("  one two", "  three", "  four"));
    EXPECT_THAT(wrapped("first\nsecond  line", 40, 1), ElementsAre(" first", " second line"));
    EXPECT_THAT(wrapped("see `journalctl -u web.service`, then go on", 20, 2),
                ElementsAre("  see", "  `journalctl -u web.service`,", "  then go on"))
        << "a command is not broken";
    EXPECT_THAT(wrapped("one ` alone", 6, 0), ElementsAre("one `", "alone"));
    EXPECT_THAT(wrapped("a incomprehensibilities b", 10, 0),
                ElementsAre("a", "incomprehensibilities", "b"));
    EXPECT_THAT(wrapped("", 10, 0), IsEmpty());
}

TEST(Hanging, KeepsTheBeginningAndIndentsTheRest) {
    EXPECT_THAT(hanging("02:30:00    unit: restarting now", 20, 10),
                ElementsAre("02:30:00    unit:", "          restarting", "          now"));
    EXPECT_THAT(hanging("one two", 7, 2), ElementsAre("one two"));
    EXPECT_THAT(hanging("one two three", 7, 2), ElementsAre("one two", "  three"));
    EXPECT_THAT(hanging("  incomprehensibilities b", 10, 4),
                ElementsAre("  incomprehensibilities", "    b"));
    EXPECT_THAT(hanging("incomprehensibilities", 10, 4), ElementsAre("incomprehensibilities"));
    EXPECT_THAT(hanging("öäü öäü", 6, 1), ElementsAre("öäü", " öäü"));
    EXPECT_THAT(hanging("", 10, 4), ElementsAre(""));
    EXPECT_THAT(hanging("to fix it: systemctl restart a.service, or keyturnctl rotate web", 20, 2),
                ElementsAre("to fix it:", "  systemctl restart a.service,", "  or",
                            "  keyturnctl rotate web"))
        << "a command is not broken";
    EXPECT_THAT(hanging("see journalctl -u a (twice) or not", 20, 2),
                ElementsAre("see journalctl -u a", "  (twice) or not"));
    EXPECT_THAT(hanging("a b", 1, 4), ElementsAre("a", "    b"));
}

TEST(WrappedText, KeepsLinesThatFitAndTheIndentOfEach) {
    EXPECT_EQ(wrapped_text("one two\n\n  a b\n", 7), "one two\n\n  a b\n");
    EXPECT_EQ(wrapped_text("one two three\n    left alone: no\n", 14),
              "one two three\n    left\n    alone: no\n");
    EXPECT_EQ(wrapped_text("one two\nthree", 5), "one\ntwo\nthree");
    EXPECT_EQ(wrapped_text("run: keyturnctl adopt --undo a.service", 20),
              "run:\nkeyturnctl adopt --undo a.service");
    EXPECT_EQ(wrapped_text("", 80), "");
}

TEST(Paint, CanBeTakenOff) {
    EXPECT_EQ(without_colour("a " + Paint(true)(TextStyle::bad, "held") + " b"), "a held b");
    EXPECT_EQ(without_colour("plain"), "plain");
}

TEST(Paint, ColoursOnlyWhenAsked) {
    EXPECT_EQ(Paint(true)(TextStyle::bad, "held"), "\x1b[31mheld\x1b[0m");
    EXPECT_EQ(Paint(true)(TextStyle::plain, "text"), "text");
    EXPECT_EQ(Paint(false)(TextStyle::bad, "held"), "held");
}

TEST(Times, AreLocal) {
    const WallTime moment{std::chrono::seconds{1772332200}};
    EXPECT_EQ(clock_text(moment), "02:30:00");
    EXPECT_EQ(date_text(moment), "2026-03-01 02:30 UTC");
}

}  // namespace
}  // namespace keyturn
