#include "idle_view.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using samples::now;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const TerminalStyle wide{200, false};

TEST(FactLines, ShowTheLastRotationWithItsReason) {
    TunnelStatus tunnel = samples::idle();
    tunnel.trigger = "laptop lost";
    EXPECT_THAT(
        fact_lines(tunnel, now, wide),
        Contains("  Last        done 2026-02-01 02:30 UTC (28d ago): laptop lost. every unit "
                 "runs with the new token"));
    tunnel.last_outcome = "refused";
    tunnel.last_ended = now - hours{2};
    tunnel.reason = "one replica only";
    EXPECT_THAT(fact_lines(tunnel, now, wide),
                Contains("  Last        refused 2026-03-01 00:30 UTC (2h ago): laptop lost"));
    EXPECT_THAT(fact_lines(tunnel, now, wide),
                Contains("  Last done   2026-02-01 02:30 UTC (28d ago)"));
}

TEST(FactLines, SayWhyTheNextRotationStartsThen) {
    TunnelStatus tunnel = samples::idle();
    for (const auto& [cause, words] :
         {std::pair("due", "by the schedule"), std::pair("window", "waits for a window"),
          std::pair("freeze", "postponed by a freeze"),
          std::pair("max_age", "max_age: too old to wait for a window")}) {
        tunnel.due_cause = cause;
        EXPECT_THAT(fact_lines(tunnel, now, wide),
                    Contains(std::string("  Next        2026-03-03 02:30 UTC (in 2d), ") + words));
    }
    tunnel.state = "paused";
    EXPECT_THAT(fact_lines(tunnel, now, wide), Contains(HasSubstr("nothing starts until resume")));
    tunnel.state = "idle";
    tunnel.due.reset();
    tunnel.due_cause = "never";
    EXPECT_THAT(
        fact_lines(tunnel, now, wide),
        Contains("  Next        no window fits, use longer windows, a shorter soak, or max_age"));
    tunnel.due_cause.clear();
    EXPECT_THAT(fact_lines(tunnel, now, wide), Contains("  Next        on demand"));
}

TEST(FactLines, SaySinceWhenCloudflareCannotBeChecked) {
    TunnelStatus tunnel = samples::idle();
    EXPECT_THAT(fact_lines(tunnel, now, wide), Contains("  Cloudflare  token checked 3m ago"));
    tunnel.check_fails_since = now - minutes{2};
    EXPECT_THAT(fact_lines(tunnel, now, wide),
                Contains("  Cloudflare  checks fail since 2m; the last good one was 3m ago"));
    tunnel.last_check.reset();
    EXPECT_THAT(fact_lines(tunnel, now, wide),
                Contains("  Cloudflare  checks fail since 2m; none was good since keyturnd "
                         "started"));
}

TEST(IdleLines, SayThatTheUnitsAreNotKnownYet) {
    TunnelStatus tunnel = samples::idle();
    tunnel.units.clear();
    EXPECT_THAT(idle_lines(tunnel, now, wide), Contains("  Units: not checked yet"));
}

TEST(AttentionLines, AreEmptyIfAllIsWell) {
    EXPECT_THAT(attention_lines(samples::idle(), wide), IsEmpty());
    TunnelStatus held = samples::idle();
    held.state = "held";
    held.hold_reason = "state_unreadable";
    held.reason = "the state is damaged";
    EXPECT_THAT(attention_lines(held, wide),
                ElementsAre("  Held (state_unreadable):", "    the state is damaged",
                            "    To see its log: journalctl -u keyturnd -n 20"));
}

TEST(IdleSummary, IsOneLine) {
    EXPECT_EQ(idle_summary(samples::idle(), now),
              "idle, 1/1 unit serves, done 28d ago, next in 2d");
    TunnelStatus tunnel = samples::idle();
    tunnel.findings = {"one", "two"};
    tunnel.check_fails_since = now - minutes{2};
    tunnel.due = now - hours{1};
    EXPECT_EQ(idle_summary(tunnel, now),
              "idle, 1/1 unit serves, done 28d ago, next since 1h, 2 findings, checks fail "
              "since 2m");
    tunnel = TunnelStatus{};
    tunnel.state = "idle";
    EXPECT_EQ(idle_summary(tunnel, now), "idle, no rotation yet, next on demand");
}

}  // namespace
}  // namespace keyturn
