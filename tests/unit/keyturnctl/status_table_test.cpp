#include "status_table.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace keyturn {
namespace {

using samples::now;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(StatusTable, OfTunnelsAtRestIsALineEach) {
    TunnelStatus fresh = samples::idle();
    fresh.name = "new";
    fresh.last_done.reset();
    fresh.due.reset();
    EXPECT_EQ(status_table({samples::idle(), fresh}, now, {80, false}, false),
              "TUNNEL  STATE  PHASE  BATCH  UNITS  LAST     DUE\n"
              "api     idle   -      -      1/1    28d ago  in 2d\n"
              "new     idle   -      -      1/1    unknown  on demand\n");
}

TEST(StatusTable, ShowsAnOpenRotationBelow) {
    EXPECT_EQ(status_table({samples::idle(), samples::soaking()}, now, {70, false}, false),
              "TUNNEL  STATE    PHASE  BATCH  UNITS  LAST     DUE\n"
              "api     idle     -      -      1/1    28d ago  in 2d\n"
              "web     running  soak   1/2    2/2    unknown  on demand\n"
              "\n"
              "web: soak after batch 1 of 2\n"
              "  laptop lost, started 4m ago, rotation 3f2a\n"
              "  Cloudflare and the token file have the token fedcba9876543210. Now:\n"
              "  watching the restarted units before the next batch.\n"
              "  batch 1  done\n"
              "    cloudflared-web@a.service  verified  4/4 connections  by system...\n"
              "  batch 2  waiting\n"
              "    cloudflared-web@b.service  waiting   1/4 connections\n"
              "  soak  [################------------------------]  40%  6m left\n"
              "  Expected end: 02:37:00 (in 7m), if nothing more goes wrong\n");
}

TEST(StatusTable, ShowsWhyATunnelIsHeld) {
    EXPECT_EQ(status_table({samples::idle(), samples::held()}, now, {60, false}, false),
              "TUNNEL  STATE  PHASE  BATCH  UNITS  LAST     DUE\n"
              "api     idle   -      -      1/1    28d ago  in 2d\n"
              "web     held   roll   1/2    1/2    unknown  on demand\n"
              "\n"
              "web: held in roll, batch 1 of 2\n"
              "  laptop lost, started 4m ago, rotation 3f2a\n"
              "  Cloudflare and the token file have the token\n"
              "  fedcba9876543210.\n"
              "  batch 1  restarting\n"
              "!   cloudflared-web@a.service  failed   starting\n"
              "  batch 2  waiting\n"
              "    cloudflared-web@b.service  waiting  1/4 connections\n"
              "  Held (verification_failed):\n"
              "    cloudflared-web@a.service did not connect within 2m. The\n"
              "    other replicas keep serving. Look at\n"
              "    journalctl -u cloudflared-web@a.service\n"
              "    To see its log:\n"
              "      journalctl -u cloudflared-web@a.service -n 20\n"
              "    When you have fixed it: keyturnctl retry web --follow\n"
              "    Or restore the old token: keyturnctl revert web --follow\n");
}

TEST(StatusTable, ShowsDatesWhereThereIsRoom) {
    EXPECT_THAT(status_table({samples::idle()}, now, {120, false}, false),
                StartsWith("TUNNEL  STATE  PHASE  BATCH  UNITS  LAST                            "
                           "DUE\n"
                           "api     idle   -      -      1/1    2026-02-01 02:30 UTC (28d ago)  "
                           "2026-03-03 02:30 UTC (in 2d)\n"));
}

TEST(StatusTable, CutsLongNamesOnANarrowTerminal) {
    TunnelStatus tunnel = samples::idle();
    tunnel.name = "a-tunnel-with-a-very-long-name";
    EXPECT_THAT(status_table({tunnel}, now, {50, false}, false),
                StartsWith("TUNNEL    STATE  PHASE  BATCH  UNITS  LAST     DUE\n"
                           "a-tun...  idle   -      -      1/1    28d ago  in 2d\n"));
}

TEST(StatusTable, InDetailAndForTheOnlyTunnelShowsFactsAndUnits) {
    const std::string detail = status_table({samples::idle()}, now, {80, false}, true);
    EXPECT_EQ(detail,
              "TUNNEL  STATE  PHASE  BATCH  UNITS  LAST     DUE\n"
              "api     idle   -      -      1/1    28d ago  in 2d\n"
              "\n"
              "api\n"
              "  Tunnel      f70ff985-a4ef-4643-bbbc-4a0ed4fc8415\n"
              "  Token       0123456789abcdef\n"
              "  Last        done 2026-02-01 02:30 UTC (28d ago). every unit runs with the new\n"
              "              token\n"
              "  Rotation    77aa\n"
              "  Next        2026-03-03 02:30 UTC (in 2d), by the schedule\n"
              "  Cloudflare  token checked 3m ago\n"
              "  Units:\n"
              "    cloudflared-api.service  serving  4 connections  current token\n");
    EXPECT_EQ(status_table({samples::idle()}, now, {80, false}, false), detail);
}

TEST(StatusTable, InDetailShowsTheFactsBelowAnOpenRotation) {
    EXPECT_THAT(status_table({samples::soaking()}, now, {80, false}, true),
                EndsWith("if nothing more goes wrong\n"
                         "\n"
                         "  Tunnel      0b1a7c6e-5a5f-4a6e-9d1b-3c2f1e0d9b8a\n"
                         "  Token       fedcba9876543210\n"
                         "  Last        no rotation yet\n"
                         "  Next        on demand\n"
                         "  Cloudflare  token not checked since keyturnd started\n"));
}

TEST(StatusTable, TellsARefusalWithoutBeingAsked) {
    TunnelStatus tunnel = samples::idle();
    tunnel.last_outcome = "refused";
    tunnel.reason = "one replica only, and accept_gap is not set";
    EXPECT_THAT(status_table({tunnel, samples::idle()}, now, {80, false}, false),
                HasSubstr("\napi\n  Last rotation was refused:\n"
                          "    one replica only, and accept_gap is not set\n"));
}

TEST(StatusTable, TellsWhyAnExitCodeIsNotZero) {
    TunnelStatus tunnel = samples::idle();
    tunnel.last_outcome = "reverted";
    tunnel.reason = "the old one again";
    EXPECT_THAT(status_table({tunnel, samples::idle()}, now, {80, false}, false),
                HasSubstr("\napi\n  Last rotation was reverted:\n    the old one again\n"));
}

TEST(StatusTable, WarnsOfAPauseThatLasts) {
    TunnelStatus tunnel = samples::soaking();
    tunnel.state = "paused";
    EXPECT_THAT(
        status_table({tunnel}, now, {120, false}, false),
        HasSubstr(
            "  Paused; to continue: keyturnctl resume web\n    Cloudflare has the new secret: "
            "a unit with the old token cannot restore a lost "
            "connection.\n"));
}

TEST(StatusTable, TellsFindingsWithoutBeingAsked) {
    TunnelStatus tunnel = samples::idle();
    tunnel.findings = {"the API token is refused: make another one", "one\x1b replica only"};
    tunnel.notes = {"b: token\x1b unknown"};
    EXPECT_EQ(status_table({tunnel, samples::idle()}, now, {40, false}, false),
              "TUNNEL  STATE  PHASE  BATCH  UNITS  LAST     DUE\n"
              "api     idle   -      -      1/1    28d ago  in 2d\n"
              "api     idle   -      -      1/1    28d ago  in 2d\n"
              "\n"
              "api\n"
              "  Findings:\n"
              "    - the API token is refused: make\n"
              "      another one\n"
              "    - one? replica only\n"
              "  Notes:\n"
              "    - b: token? unknown\n");
}

TEST(StatusTable, SaysSinceWhenARotationIsDue) {
    TunnelStatus tunnel = samples::idle();
    tunnel.due = now - std::chrono::hours{3};
    EXPECT_THAT(status_table({tunnel}, now, {80, false}, false), HasSubstr("since 3h\n"));
}

TEST(StatusTable, SaysWhatAStartWaitsFor) {
    TunnelStatus tunnel = samples::idle();
    tunnel.due = now + std::chrono::hours{3};
    tunnel.due_cause = "window";
    EXPECT_THAT(status_table({tunnel}, now, {80, false}, false), HasSubstr("in 3h (window)\n"));
    tunnel.due.reset();
    tunnel.due_cause = "never";
    EXPECT_THAT(status_table({tunnel}, now, {80, false}, false), HasSubstr("no window fits\n"));
}

TEST(StatusTable, ColoursStatesAndOnlyWhenAsked) {
    EXPECT_THAT(status_table({samples::held()}, now, {80, true}, false), HasSubstr("\x1b[31mheld"));
    EXPECT_THAT(status_table({samples::held()}, now, {80, false}, false), Not(HasSubstr("\x1b")));
}

TEST(StatusTable, NeverPrintsWhatSomebodyElseMeantForTheTerminal) {
    TunnelStatus tunnel = samples::held();
    tunnel.trigger = "\x1b]0;owned\x07";
    tunnel.reason = "a\x1b[31mb";
    tunnel.units[0].verified_by = "\x1b[2J";
    EXPECT_THAT(status_table({tunnel}, now, {80, false}, true), Not(HasSubstr("\x1b")));
}

TEST(StatusTable, SaysSoWhenThereIsNothing) {
    EXPECT_EQ(status_table({}, now, {80, false}, false), "The policy has no tunnels.\n");
}

}  // namespace
}  // namespace keyturn
