#include "rotation_view.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using samples::now;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST(WaitLines, AreABarWhereAWaitLastsToItsEnd) {
    EXPECT_THAT(wait_lines(samples::soaking(), now, 70),
                ElementsAre("  soak  [################------------------------]  40%  6m left",
                            "  Expected end: 02:37:00 (in 7m), if nothing more goes wrong"));
    TunnelStatus settling = samples::soaking();
    settling.phase = "roll";
    settling.batch = 0;
    EXPECT_THAT(wait_lines(settling, now, 34).front(), "  settling  [##----]  40%  6m left");
}

TEST(WaitLines, SayHowLongADeadlineIsAway) {
    TunnelStatus verifying = samples::soaking();
    verifying.phase = "roll";
    verifying.expected_end.reset();
    EXPECT_THAT(wait_lines(verifying, now, 80), ElementsAre("  verifying: waits at most 6m more"));
    verifying.phase = "finish";
    EXPECT_THAT(wait_lines(verifying, now, 80), ElementsAre("  finish: waits at most 6m more"));
    EXPECT_THAT(wait_lines(verifying, now + minutes{6}, 80), IsEmpty()) << "it has passed";
}

TEST(WaitLines, SayNothingThatIsNotKnown) {
    TunnelStatus without_end = samples::soaking();
    without_end.step_ends.reset();
    EXPECT_THAT(wait_lines(without_end, now, 80), IsEmpty());
    EXPECT_THAT(wait_lines(samples::held(), now, 80), IsEmpty());
    EXPECT_THAT(wait_lines(samples::soaking(), now + minutes{8}, 80),
                ElementsAre(HasSubstr("any moment")))
        << "an end that has passed is no estimate";
}

TEST(RotationLines, AreATreeOfBatchesAndUnits) {
    EXPECT_THAT(
        rotation_lines(samples::soaking(), now, {120, false}),
        ElementsAre("web: soak after batch 1 of 2", "  laptop lost, started 4m ago, rotation 3f2a",
                    "  Cloudflare and the token file have the token fedcba9876543210. Now: "
                    "watching the restarted units before the next",
                    "  batch.", "  batch 1  done",
                    "    cloudflared-web@a.service  verified  4/4 connections  by systemd, "
                    "ready, api",
                    "  batch 2  waiting",
                    "    cloudflared-web@b.service  waiting   1/4 connections",
                    HasSubstr("40%  6m left"), HasSubstr("Expected end: 02:37:00")));
}

TEST(RotationLines, SayWhatKeyturndDoesBeforeThereAreUnits) {
    TunnelStatus preflight = samples::soaking();
    preflight.phase = "preflight";
    preflight.trigger.clear();
    preflight.rotation_id.clear();
    preflight.batch_count = 0;
    preflight.units.clear();
    preflight.step_ends.reset();
    EXPECT_THAT(rotation_lines(preflight, now, {80, false}),
                ElementsAre("web: preflight", "  started 4m ago",
                            "  Now: checking Cloudflare, the units and the token file; nothing is "
                            "changed."));
}

TEST(RotationLines, OfALostDaemonDoNotMove) {
    EXPECT_EQ(rotation_lines(samples::soaking(), now, {120, false}, true).size(), 8U);
}

TEST(RotationLines, TellWhoWasDropped) {
    TunnelStatus compromise = samples::held();
    compromise.evicted = {"thief \x1b from 198.51.100.7", "2", "3", "4", "5", "6", "7"};
    compromise.outage = Milliseconds{1100};
    compromise.lockout = Milliseconds{3400};
    EXPECT_THAT(
        rotation_lines(compromise, now, {80, false}, true),
        testing::IsSupersetOf({"  dropped: thief ? from 198.51.100.7", "  dropped: 5",
                               "  dropped: 2 more connectors", "  No unit was connected for 1.1s.",
                               "  Everybody else was locked out after 3.4s."}));
}

TEST(RotationLines, FitEveryTerminal) {
    TunnelStatus compromise = samples::soaking();
    compromise.evicted = {"connector 7 from 198.51.100.7, cloudflared 2026.1.0, 4 connections"};
    for (const std::size_t columns : {20U, 33U, 60U, 80U}) {
        for (const auto& tunnel : {samples::soaking(), compromise}) {
            for (const std::string& line : rotation_lines(tunnel, now, {columns, false})) {
                // A word that does not fit is not broken.
                const std::size_t words = line.find(' ', line.find_first_not_of(' '));
                EXPECT_TRUE(columns_of(line) <= columns || words == std::string::npos) << line;
            }
        }
    }
}

TEST(TroubleLines, OfAHeldTunnelTellReasonAndRemedy) {
    EXPECT_THAT(trouble_lines(samples::held(), {60, false}),
                ElementsAre("  Held (verification_failed):",
                            "    cloudflared-web@a.service did not connect within 2m. The",
                            "    other replicas keep serving. Look at",
                            "    journalctl -u cloudflared-web@a.service", "    To see its log:",
                            "      journalctl -u cloudflared-web@a.service -n 20",
                            "    When you have fixed it: keyturnctl retry web --follow",
                            "    Or restore the old token: keyturnctl revert web --follow"));
}

TEST(RemedyLines, LeadToTheHostWhoseUnitHoldsTheFleet) {
    TunnelStatus fleet = samples::held();
    fleet.held_unit = "alpha/" + fleet.held_unit;
    EXPECT_EQ(remedy_lines(fleet, 80, 0).front(),
              "To see its log: ssh alpha journalctl -u cloudflared-web@a.service -n 20");
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

TEST(RemedyLines, OfUnitsThatMoveNameNoOldToken) {
    TunnelStatus moving = samples::held();
    for (const char* kind : {"adopt", "release"}) {
        moving.kind = kind;
        EXPECT_EQ(remedy_lines(moving, 100, 0).back(),
                  "Or, once its units are set up as before: keyturnctl revert web --follow");
    }
}

TEST(TroubleLines, OfAPauseWarnOfDecayOnlyIfTheTokenChanges) {
    TunnelStatus paused = samples::soaking();
    paused.state = "paused";
    EXPECT_THAT(trouble_lines(paused, {60, false}), ::testing::SizeIs(testing::Gt(1U)));
    paused.kind = "adopt";
    EXPECT_THAT(trouble_lines(paused, {60, false}), ::testing::SizeIs(1));
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
