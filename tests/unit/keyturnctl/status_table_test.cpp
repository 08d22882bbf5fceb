#include "status_table.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace keyturn {
namespace {

using samples::now;
using testing::HasSubstr;
using testing::Not;

TEST(StatusTable, OfTunnelsAtRestIsALineEach) {
    TunnelStatus fresh = samples::idle();
    fresh.name = "new";
    fresh.last_done.reset();
    fresh.due.reset();
    EXPECT_EQ(status_table({samples::idle(), fresh}, now, {80, false}, false),
              "TUNNEL  STATE  PHASE  BATCH  LAST     DUE\n"
              "api     idle   -      -      28d ago  in 2d\n"
              "new     idle   -      -      unknown  on demand\n");
}

TEST(StatusTable, ShowsAnOpenRotationBelow) {
    EXPECT_EQ(status_table({samples::idle(), samples::soaking()}, now, {70, false}, false),
              "TUNNEL  STATE    PHASE  BATCH  LAST     DUE\n"
              "api     idle     -      -      28d ago  in 2d\n"
              "web     running  soak   1/2    unknown  on demand\n"
              "\n"
              "web\n"
              "  Rotation 3f2a (laptop lost), started 4m ago\n"
              "  soak  [################------------------------]  40%  6m left\n"
              "    1  cloudflared-web@a.service  verified  4 connections  by syste...\n"
              "    2  cloudflared-web@b.service  waiting   1 connection\n");
}

TEST(StatusTable, ShowsWhyATunnelIsHeldFirst) {
    EXPECT_EQ(status_table({samples::held()}, now, {60, false}, false),
              "TUNNEL  STATE  PHASE  BATCH  LAST     DUE\n"
              "web     held   roll   1/2    unknown  on demand\n"
              "\n"
              "web\n"
              "  Held (verification_failed):\n"
              "    cloudflared-web@a.service did not connect within 2m. The\n"
              "    other replicas keep serving. Look at journalctl -u\n"
              "    cloudflared-web@a.service\n"
              "    To see its log:\n"
              "      journalctl -u cloudflared-web@a.service -n 20\n"
              "    When you have fixed it: keyturnctl retry web --follow\n"
              "    Or restore the old token: keyturnctl revert web --follow\n"
              "  Rotation 3f2a (laptop lost), started 4m ago\n"
              "!   1  cloudflared-web@a.service  failed\n"
              "    2  cloudflared-web@b.service  waiting  1 connection\n");
}

TEST(StatusTable, ShowsDatesWhereThereIsRoom) {
    EXPECT_EQ(
        status_table({samples::idle()}, now, {120, false}, false),
        "TUNNEL  STATE  PHASE  BATCH  LAST                            DUE\n"
        "api     idle   -      -      2026-02-01 02:30 UTC (28d ago)  2026-03-03 02:30 UTC (in "
        "2d)\n");
}

TEST(StatusTable, CutsLongNamesOnANarrowTerminal) {
    TunnelStatus tunnel = samples::idle();
    tunnel.name = "a-tunnel-with-a-very-long-name";
    EXPECT_EQ(status_table({tunnel}, now, {50, false}, false),
              "TUNNEL         STATE  PHASE  BATCH  LAST     DUE\n"
              "a-tunnel-w...  idle   -      -      28d ago  in 2d\n");
}

TEST(StatusTable, InDetailShowsIdentifiersAndUnits) {
    EXPECT_EQ(status_table({samples::idle()}, now, {80, false}, true),
              "TUNNEL  STATE  PHASE  BATCH  LAST     DUE\n"
              "api     idle   -      -      28d ago  in 2d\n"
              "\n"
              "api\n"
              "  Tunnel       f70ff985-a4ef-4643-bbbc-4a0ed4fc8415\n"
              "  Fingerprint  0123456789abcdef\n"
              "  Last         77aa\n"
              "  Last done    2026-02-01 02:30 UTC\n"
              "  Due          2026-03-03 02:30 UTC\n"
              "  Outcome      done\n"
              "  Last rotation:\n"
              "    every unit runs with the new token\n"
              "    -  cloudflared-api.service  4 connections\n");
}

TEST(StatusTable, TellsARefusalWithoutBeingAsked) {
    TunnelStatus tunnel = samples::idle();
    tunnel.last_outcome = "refused";
    tunnel.reason = "one replica only, and accept_gap is not set";
    EXPECT_THAT(status_table({tunnel}, now, {80, false}, false),
                HasSubstr("\napi\n  Last rotation was refused:\n"
                          "    one replica only, and accept_gap is not set\n"));
}

TEST(StatusTable, TellsWhyAnExitCodeIsNotZero) {
    TunnelStatus tunnel = samples::idle();
    tunnel.last_outcome = "reverted";
    tunnel.reason = "the old one again";
    EXPECT_THAT(status_table({tunnel}, now, {80, false}, false),
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
    EXPECT_EQ(status_table({tunnel}, now, {40, false}, false),
              "TUNNEL  STATE  PHASE  BATCH  LAST     DUE\n"
              "api     idle   -      -      28d ago  in 2d\n"
              "\n"
              "api\n"
              "  Findings:\n"
              "    - the API token is refused: make\n"
              "    another one\n"
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
    EXPECT_THAT(status_table({samples::held()}, now, {80, true}, false),
                HasSubstr("\x1b[1;31mheld"));
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
