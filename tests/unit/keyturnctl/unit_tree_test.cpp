#include "unit_tree.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ResultOf;

TEST(BatchLines, AlignTheUnitsOfAllBatches) {
    EXPECT_THAT(batch_lines(samples::soaking(), {100, false}),
                ElementsAre("  batch 1  done",
                            "    cloudflared-web@a.service  verified  4/4 connections  by systemd, "
                            "ready, api",
                            "  batch 2  waiting",
                            "    cloudflared-web@b.service  waiting   1/4 connections"));
}

TEST(BatchLines, MarkTheUnitOfAHold) {
    EXPECT_THAT(
        batch_lines(samples::held(), {100, false}),
        ElementsAre("  batch 1  restarting", "!   cloudflared-web@a.service  failed   starting",
                    "  batch 2  waiting",
                    "    cloudflared-web@b.service  waiting  1/4 connections"));
    TunnelStatus stopped = samples::held();
    stopped.hold_reason = "operator_took_over";
    EXPECT_THAT(batch_lines(stopped, {100, false}).at(1), HasSubstr("restarting"));
}

TEST(BatchLines, CountWhatIsDoneInABatch) {
    TunnelStatus tunnel = samples::soaking();
    tunnel.units[1] = {"cloudflared-web@b.service", "restarting", 1, 2, ""};
    EXPECT_THAT(batch_lines(tunnel, {100, false}),
                ElementsAre("  batch 1  restarting, 1 of 2 done", HasSubstr("@a.service"),
                            "    cloudflared-web@b.service  restarting  2/4 connections"));
}

TEST(BatchLines, PutUnitsWithoutABatchLast) {
    TunnelStatus tunnel = samples::soaking();
    tunnel.units.insert(tunnel.units.begin(),
                        {{"keyturn-surge@web.service", "verified", 0, 4, "systemd, ready"},
                         {"cloudflared-web@c.service", "listed", 0, -1, ""}});
    EXPECT_THAT(batch_lines(tunnel, {60, false}),
                ElementsAre("  batch 1  done", HasSubstr("@a.service"), "  batch 2  waiting",
                            HasSubstr("@b.service"), "  no batch",
                            "    keyturn-surge@web.service  serving   4 connections   ...",
                            "    cloudflared-web@c.service  listed"));
}

TEST(BatchLines, FitANarrowTerminal) {
    for (const std::size_t columns : {20U, 40U, 50U, 60U}) {
        EXPECT_THAT(batch_lines(samples::soaking(), {columns, false}),
                    Each(ResultOf(columns_of, testing::Le(columns))));
    }
    EXPECT_EQ(batch_lines(samples::soaking(), {20, false}).at(1), "    cloudflared-w...");
}

TEST(BatchLines, ColourTheStepAlone) {
    EXPECT_THAT(batch_lines(samples::soaking(), {100, true}).at(1),
                HasSubstr("a.service  \x1b[32mverified\x1b[0m  4/4 connections"));
}

TEST(IdleUnitLines, ShowHealthConnectionsAndToken) {
    TunnelStatus tunnel = samples::idle();
    tunnel.units = {{"a.service", "", 0, 4, ""},
                    {"b.service", "", 0, 0, ""},
                    {"c.service", "", 0, 0, ""},
                    {"d.service", "", 0, -1, ""}};
    tunnel.health = {{"a.service", "serving", "current", "0123456789abcdef", -1},
                     {"b.service", "disconnected", "older", "fedcba98\x1b", -1},
                     {"c.service", "stopped", "", "", -1},
                     {"d.service", "unknown", "unknown", "", -1}};
    EXPECT_THAT(idle_unit_lines(tunnel, {100, false}),
                ElementsAre("    a.service  serving       4 connections  current token",
                            "    b.service  disconnected  0 connections  older token fedcba98?",
                            "    c.service  stopped",
                            "    d.service  unknown                      token unknown"));
}

TEST(IdleUnitLines, OfADaemonThatReportsNoHealthShowTheConnections) {
    TunnelStatus tunnel = samples::idle();
    tunnel.health.clear();
    EXPECT_THAT(idle_unit_lines(tunnel, {100, false}),
                ElementsAre("    cloudflared-api.service    4 connections"));
}

}  // namespace
}  // namespace keyturn
