#include "live_view.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using samples::now;
using std::chrono::minutes;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const TerminalStyle narrow{80, false};

TunnelStatus web() {
    TunnelStatus tunnel = samples::idle();
    tunnel.name = "web";
    return tunnel;
}

TunnelStatus done() {
    TunnelStatus tunnel = web();
    tunnel.rotation_id = "3f2a";
    tunnel.last_done = now + minutes{8};
    tunnel.last_ended = tunnel.last_done;
    return tunnel;
}

Subject requested() {
    return {"web", Wanted{Following::request}};
}

TEST(LiveView, OfARequestShowsTheRotationOnceItIsThere) {
    LiveView view({web()}, requested(), false);
    EXPECT_TRUE(view.awaits());
    EXPECT_THAT(view.saw({web()}, now), IsEmpty());
    EXPECT_THAT(view.block(now, narrow), IsEmpty());
    EXPECT_THAT(view.saw({samples::soaking()}, now), Not(IsEmpty()));
    EXPECT_FALSE(view.awaits());
    EXPECT_TRUE(view.moves());
    EXPECT_THAT(view.block(now, narrow),
                testing::IsSupersetOf(
                    {std::string("web: soak after batch 1 of 2"), std::string("  batch 1  done")}));
    static_cast<void>(view.saw({done()}, now));
    ASSERT_TRUE(view.verdict());
    EXPECT_EQ(view.verdict()->exit_code, ExitCode::ok);
    EXPECT_THAT(view.block(now, narrow), IsEmpty());
}

TEST(LiveView, SurvivesARestartOfTheDaemon) {
    LiveView view({web()}, requested(), false);
    static_cast<void>(view.saw({samples::soaking()}, now));
    const std::size_t rows = view.block(now, narrow).size();
    EXPECT_THAT(view.lost(now), ElementsAre(HasSubstr("keyturnd is not running")));
    EXPECT_THAT(view.lost(now), IsEmpty());
    EXPECT_FALSE(view.moves());
    EXPECT_EQ(view.block(now, narrow).size(), rows - 2) << "no bar that nobody moves";
    EXPECT_THAT(view.nothing_new(now + minutes{20}), IsEmpty());
    EXPECT_THAT(view.saw({samples::soaking()}, now), ElementsAre("02:30:00  keyturnd is back"));
    static_cast<void>(view.saw({done()}, now));
    ASSERT_TRUE(view.verdict());
    EXPECT_EQ(view.verdict()->exit_code, ExitCode::ok);
}

TEST(LiveView, EndsWhenThePolicyLosesTheTunnel) {
    for (const Subject& subject : {requested(), Subject{"web", std::nullopt}}) {
        LiveView view({web()}, subject, false);
        static_cast<void>(view.saw({}, now));
        ASSERT_TRUE(view.verdict());
        EXPECT_EQ(view.verdict()->exit_code, ExitCode::error);
        EXPECT_THAT(view.verdict()->lines, ElementsAre(HasSubstr("no longer in the policy")));
    }
}

TEST(LiveView, OfAllTunnelsShowsOpenRotationsAndALineForEachIdleOne) {
    LiveView view({samples::idle(), samples::soaking()}, {}, false);
    static_cast<void>(view.saw({samples::idle(), samples::soaking()}, now));
    const std::vector<std::string> block = view.block(now, narrow);
    EXPECT_EQ(block.at(1), "web: soak after batch 1 of 2");
    EXPECT_EQ(block.back(), "api  idle, 1/1 unit serves, done 28d ago, next in 2d");
    EXPECT_EQ(block.at(block.size() - 2), "");
    EXPECT_FALSE(view.verdict());
}

TEST(LiveView, OfAnIdleTunnelShowsItsStatusAndWaits) {
    LiveView view({web()}, {"web", std::nullopt}, false);
    EXPECT_THAT(view.saw({web()}, now), IsEmpty());
    EXPECT_FALSE(view.moves());
    EXPECT_FALSE(view.awaits());
    EXPECT_THAT(
        view.block(now, narrow),
        testing::IsSupersetOf(
            {std::string("web: idle"), std::string("  Cloudflare  token checked 3m ago"),
             std::string("    cloudflared-api.service  serving  4 connections  current token")}));
    EXPECT_THAT(view.saw({samples::soaking()}, now),
                Contains("02:30:00  rotation (laptop lost), started 4m ago"));
    static_cast<void>(view.saw({done()}, now));
    EXPECT_FALSE(view.verdict()) << "it watches until Ctrl-C";
    EXPECT_THAT(view.block(now, narrow), Contains("web: idle"));
}

TEST(LiveView, OfAPipeSaysHowEachTunnelIsAtFirst) {
    LiveView view({samples::idle(), samples::soaking()}, {}, true);
    EXPECT_THAT(view.saw({samples::idle(), samples::soaking()}, now),
                ElementsAre("02:30:00  api: idle, 1/1 unit serves, done 28d ago, next in 2d",
                            "02:30:00  web: rotation (laptop lost), started 4m ago",
                            HasSubstr("web: soak after"), HasSubstr("verified")));
    EXPECT_THAT(view.saw({samples::idle(), samples::soaking()}, now), IsEmpty());
}

TEST(LiveView, FollowsThePolicy) {
    LiveView view({samples::idle()}, {}, true);
    static_cast<void>(view.saw({samples::idle()}, now));
    EXPECT_THAT(view.saw({web()}, now),
                ElementsAre("02:30:00  api: this tunnel is no longer in the policy of keyturnd",
                            StartsWith("02:30:00  web: idle")));
    EXPECT_THAT(view.saw({}, now), ElementsAre(HasSubstr("web: this tunnel is no longer")));
    EXPECT_THAT(view.block(now, narrow), ElementsAre("", "The policy has no tunnels."));
}

TEST(LiveView, NeverPrintsWhatSomebodyElseMeantForTheTerminal) {
    TunnelStatus open = samples::held();
    open.name = "web\x1b";
    open.trigger = open.reason = open.hold_reason = "\x1b]0;owned\x07";
    open.findings = open.notes = open.evicted = {"\x1b[2J"};
    open.units[0].name = open.units[0].verified_by = "\x1b[2J";
    open.health[1] = {open.units[1].name, "\x1b", "older", "\x1b", 4};
    TunnelStatus idle = open;
    idle.name = "api\x1b";
    idle.phase.clear();
    idle.state = "idle";
    idle.last_outcome = "\x1b";
    for (const bool several : {false, true}) {
        std::vector<TunnelStatus> tunnels{idle};
        if (several) tunnels.push_back(open);
        LiveView view(tunnels, {}, true);
        std::vector<std::string> shown = view.saw(tunnels, now);
        for (const std::string& line : view.block(now, narrow)) shown.push_back(line);
        EXPECT_THAT(shown, testing::Each(Not(HasSubstr("\x1b"))));
    }
}

TEST(LiveView, SaysFarewellToOpenRotationsAlone) {
    LiveView request({web()}, requested(), false);
    EXPECT_THAT(
        request.farewell(),
        ElementsAre("The rotation of web continues. To see its progress: keyturnctl watch web"));
    const LiveView watch({samples::idle(), samples::soaking()}, {}, false);
    EXPECT_THAT(watch.farewell(), ElementsAre(StartsWith("The rotation of web continues.")));
}

}  // namespace
}  // namespace keyturn
