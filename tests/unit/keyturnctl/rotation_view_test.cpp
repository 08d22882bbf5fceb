#include "rotation_view.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using samples::now;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ResultOf;

TEST(ProgressBar, ShowsHowFarAndHowLong) {
    EXPECT_EQ(progress_bar(now - minutes{4}, now + minutes{6}, now, 36),
              "[########------------]  40%  6m left");
    EXPECT_EQ(progress_bar(now, now + minutes{10}, now, 37),
              "[--------------------]   0%  10m left");
}

TEST(ProgressBar, EndsFull) {
    EXPECT_EQ(progress_bar(now - minutes{10}, now, now, 30), "[###########] 100%  any moment");
    EXPECT_EQ(progress_bar(now - minutes{10}, now - minutes{1}, now, 30),
              "[###########] 100%  any moment");
}

TEST(ProgressBar, BearsAClockThatWentBack) {
    EXPECT_EQ(progress_bar(now + minutes{1}, now + minutes{2}, now, 40),
              "[------------------------]   0%  1m left");
    EXPECT_EQ(progress_bar(now, now, now, 30), "[--------------]   0%  1s left");
}

TEST(ProgressBar, IsNeverWiderThanAllowed) {
    EXPECT_EQ(columns_of(progress_bar(now - minutes{4}, now + minutes{6}, now, 200)), 56U);
    EXPECT_EQ(progress_bar(now - minutes{4}, now + minutes{6}, now, 15), " 40%  6m left");
    for (std::size_t columns = 1; columns < 60; ++columns) {
        EXPECT_LE(columns_of(progress_bar(now - seconds{1}, now + minutes{6}, now, columns)),
                  columns);
    }
}

TEST(StepLine, IsThereOnlyWhileARunningRotationWaits) {
    EXPECT_EQ(step_line(samples::soaking(), now, 30), "  soak  [##----]  40%  6m left");
    TunnelStatus without_end = samples::soaking();
    without_end.step_ends.reset();
    EXPECT_EQ(step_line(without_end, now, 80), "");
    EXPECT_EQ(step_line(samples::held(), now, 80), "");
}

TEST(UnitLines, AlignTheirColumns) {
    EXPECT_THAT(
        unit_lines(samples::soaking(), {100, false}),
        ElementsAre("    1  cloudflared-web@a.service  verified  4 connections  by systemd, "
                    "ready, api",
                    "    2  cloudflared-web@b.service  waiting   1 connection"));
}

TEST(UnitLines, ShowUnitsAtRestWithoutAStep) {
    EXPECT_THAT(unit_lines(samples::idle(), {100, false}),
                ElementsAre("    -  cloudflared-api.service  4 connections"));
}

TEST(UnitLines, MarkTheUnitOfAHold) {
    EXPECT_THAT(unit_lines(samples::held(), {100, false}),
                ElementsAre("!   1  cloudflared-web@a.service  failed",
                            "    2  cloudflared-web@b.service  waiting  1 connection"));
    TunnelStatus stopped = samples::held();
    stopped.hold_reason = "operator_took_over";
    EXPECT_EQ(unit_lines(stopped, {100, false}).front(),
              "!   1  cloudflared-web@a.service  restarting");
}

TEST(UnitLines, FitANarrowTerminal) {
    for (const std::size_t columns : {20U, 40U, 50U, 60U}) {
        EXPECT_THAT(unit_lines(samples::soaking(), {columns, false}),
                    Each(ResultOf(columns_of, testing::Le(columns))));
    }
    EXPECT_EQ(unit_lines(samples::soaking(), {20, false}).front(), "    1  cloudflare...");
}

TEST(UnitLines, ColourTheStepAlone) {
    EXPECT_THAT(unit_lines(samples::soaking(), {100, true}).front(),
                HasSubstr("a.service  \x1b[32mverified\x1b[0m  4 connections"));
}

TEST(TroubleLines, OfAHeldTunnelTellReasonAndRemedy) {
    EXPECT_THAT(trouble_lines(samples::held(), {60, false}),
                ElementsAre("  Held (verification_failed):",
                            "    cloudflared-web@a.service did not connect within 2m. The",
                            "    other replicas keep serving. Look at journalctl -u",
                            "    cloudflared-web@a.service", "    To see its log:",
                            "      journalctl -u cloudflared-web@a.service -n 20",
                            "    When you have fixed it: keyturnctl retry web --follow",
                            "    Or restore the old token: keyturnctl revert web --follow"));
}

TEST(RemedyLines, NameOnlyWhatLeadsOut) {
    TunnelStatus compromised = samples::held();
    compromised.can_revert = false;
    compromised.held_unit.clear();
    EXPECT_THAT(remedy_lines(compromised, 80, 0),
                ElementsAre("When you have fixed it: keyturnctl retry web --follow"));
    TunnelStatus unreadable = samples::idle();
    unreadable.state = "held";
    EXPECT_THAT(remedy_lines(unreadable, 80, 0),
                ElementsAre("To see its log: journalctl -u keyturnd -n 20"))
        << "there is no rotation to retry";
}

TEST(TroubleLines, OfAWaitingTunnelSayThatItGoesOn) {
    TunnelStatus tunnel = samples::soaking();
    tunnel.state = "waiting";
    tunnel.reason = "the API does not answer";
    EXPECT_THAT(trouble_lines(tunnel, {60, false}),
                ElementsAre("  Waiting; continues automatically:", "    the API does not answer"));
    EXPECT_THAT(trouble_lines(samples::soaking(), {60, false}), IsEmpty());
}

}  // namespace
}  // namespace keyturn
