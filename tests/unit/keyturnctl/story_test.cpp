#include "story.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using samples::now;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using testing::StrEq;

TunnelStatus restarting() {
    TunnelStatus tunnel = samples::soaking();
    tunnel.phase = "roll";
    tunnel.units[0] = {"cloudflared-web@a.service", "restarting", 1, -1, ""};
    tunnel.step_started.reset();
    tunnel.step_ends.reset();
    return tunnel;
}

TEST(Story, TellsTheFirstPhaseOfARotation) {
    TunnelStatus preflight = samples::idle();
    preflight.state = "running";
    preflight.phase = "preflight";
    preflight.started = now;
    EXPECT_THAT(story_of(samples::idle(), preflight),
                ElementsAre(StartsWith("preflight: checking Cloudflare")));
}

TEST(Story, TellsWhatHappenedToEachUnit) {
    TunnelStatus before = restarting();
    before.units[0].step = "waiting";
    EXPECT_THAT(story_of(before, restarting()),
                ElementsAre("  cloudflared-web@a.service: restarting"));
}

TEST(Story, TellsTheUnitBeforeTheSoakThatItBegins) {
    EXPECT_THAT(
        story_of(restarting(), samples::soaking()),
        ElementsAre("  cloudflared-web@a.service: verified (systemd, ready, api), "
                    "4 connections",
                    "soak after batch 1 of 2, 10m: watching the restarted units before the next "
                    "batch"));
}

TEST(Story, TellsTheNextBatchBeforeItsUnits) {
    TunnelStatus after = restarting();
    after.batch = 2;
    after.units = samples::soaking().units;
    after.units[1].step = "restarting";
    EXPECT_THAT(story_of(samples::soaking(), after),
                ElementsAre("roll, batch 2 of 2: restarting the units one after the other",
                            "  cloudflared-web@b.service: restarting"));
}

TEST(Story, TellsASoakThatBeginsAnew) {
    TunnelStatus after = samples::soaking();
    after.step_started = now;
    EXPECT_THAT(story_of(samples::soaking(), after),
                ElementsAre("the soak starts over: something was unhealthy or could not be "
                            "checked"));
}

TEST(Story, TellsOnceThatTheSoakIsDisturbedForAWhile) {
    TunnelStatus disturbed = samples::soaking();
    disturbed.step_started = now;
    TunnelStatus before = disturbed;
    for (int look = 1; look <= 60; ++look) {
        TunnelStatus after = before;
        *after.step_started += std::chrono::seconds{1};
        EXPECT_THAT(story_of(before, after), IsEmpty()) << look;
        before = after;
    }
    TunnelStatus later = before;
    *later.step_started += std::chrono::minutes{1};
    EXPECT_THAT(story_of(before, later), SizeIs(1));
}

TEST(Story, CallsASurgeByItsName) {
    const UnitStatus surge{"keyturn-surge@web.service", "restarting", 0, -1, ""};
    TunnelStatus starting = restarting();
    starting.units.push_back(surge);
    EXPECT_THAT(story_of(restarting(), starting),
                ElementsAre("  keyturn-surge@web.service: starting as an extra connector"));
    TunnelStatus helping = starting;
    helping.units.back() = {surge.name, "verified", 0, 4, "systemd, ready"};
    EXPECT_THAT(story_of(starting, helping),
                ElementsAre("  keyturn-surge@web.service: serving (systemd, ready), "
                            "4 connections"));
    EXPECT_THAT(story_of(helping, restarting()),
                ElementsAre("  keyturn-surge@web.service: stopped, no longer needed"));
}

TEST(Story, TellsEachEvictionTheOutageAndTheLockout) {
    TunnelStatus before = restarting();
    TunnelStatus after = before;
    after.evicted = {"connector thief from 198.51.100.7"};
    EXPECT_THAT(story_of(before, after), ElementsAre("dropped: connector thief from 198.51.100.7"));
    EXPECT_THAT(story_of(after, after), IsEmpty());
    before = after;
    after.outage = Milliseconds{1100};
    EXPECT_THAT(story_of(before, after),
                ElementsAre("the first unit is back; no unit was connected for 1.1s"));
    before = after;
    after.lockout = Milliseconds{3400};
    EXPECT_THAT(story_of(before, after),
                ElementsAre("everybody else is locked out after 3.4s: Cloudflare lists "
                            "only the tunnel's own units"));
}

TEST(Story, TellsWaitingAndGoingOn) {
    TunnelStatus waiting = restarting();
    waiting.state = "waiting";
    waiting.reason = "the API does not answer";
    EXPECT_THAT(story_of(restarting(), waiting), ElementsAre("waiting: the API does not answer"));
    EXPECT_THAT(story_of(waiting, waiting), IsEmpty());
    EXPECT_THAT(story_of(waiting, restarting()), ElementsAre("continues"));
}

TEST(Story, TellsAReasonOnceThoughEachAnswerHasItsNumber) {
    TunnelStatus before = restarting();
    before.state = "waiting";
    before.reason = "GET token: HTTP 503 (cf-ray 5ec7077f38cd3d08-TST)";
    TunnelStatus after = before;
    after.reason = "GET token: HTTP 503 (cf-ray 8f35b1fe553e18dd-TST)";
    EXPECT_THAT(story_of(before, after), IsEmpty());
    after.reason = "GET token: HTTP 502 (cf-ray 8f35b1fe553e18dd-TST)";
    EXPECT_THAT(story_of(before, after),
                ElementsAre("waiting: GET token: HTTP 502 (cf-ray 8f35b1fe553e18dd-TST)"));
}

TEST(Story, TellsThatTheTokenIsThereAndThatItSettles) {
    TunnelStatus before = restarting();
    before.phase = "commit";
    before.batch = 0;
    TunnelStatus after = before;
    after.phase = "roll";
    EXPECT_THAT(story_of(before, after),
                ElementsAre("Cloudflare and the token file have the new token fedcba9876543210",
                            StartsWith("roll, settling: waiting a moment")));
    before.phase = "reverting";
    EXPECT_THAT(story_of(before, after),
                ElementsAre("Cloudflare and the token file have the old token fedcba9876543210",
                            StartsWith("roll, settling: waiting a moment")));
    for (const char* kind : {"adopt", "release"}) {
        before.kind = after.kind = kind;
        EXPECT_THAT(story_of(before, after).front(),
                    StrEq("Cloudflare and the token file have the token fedcba9876543210"));
    }
}

TEST(Story, OfARetryTellsOnlyWhatIsNew) {
    EXPECT_THAT(story_of(samples::held(), restarting()), ElementsAre("continues"));
}

TEST(Story, TellsUnitsThatDoNotRun) {
    TunnelStatus after = restarting();
    after.units = {{"cloudflared-web@c.service", "listed", 0, -1, ""}};
    EXPECT_THAT(story_of(samples::idle(), after),
                ElementsAre("roll, batch 1 of 2: restarting the units one after the other",
                            "  cloudflared-web@c.service: not running; gets the token but "
                            "is not started"));
}

TEST(Story, HasNothingToTellWhenConnectionsComeAndGo) {
    TunnelStatus after = samples::soaking();
    after.units[1].connections = 3;
    EXPECT_THAT(story_of(samples::soaking(), after), IsEmpty());
}

TEST(News, AreFindingsThatBeganAndEnded) {
    TunnelStatus before = samples::idle();
    before.findings = {"a\x1b connector", "GET token: HTTP 503 (cf-ray 5ec7077f38cd3d08-TST)"};
    TunnelStatus after = samples::idle();
    after.findings = {"GET token: HTTP 503 (cf-ray 8f35b1fe553e18dd-TST)", "one replica only"};
    EXPECT_THAT(news_between(before, after),
                ElementsAre("finding: one replica only", "no longer a finding: a? connector"));
    EXPECT_THAT(news_between(after, after), IsEmpty());
}

TEST(News, ArePausesAndHoldsWithoutARotation) {
    TunnelStatus paused = samples::idle();
    paused.state = "paused";
    EXPECT_THAT(news_between(samples::idle(), paused), ElementsAre("paused"));
    EXPECT_THAT(news_between(paused, samples::idle()), ElementsAre("no longer paused"));
    TunnelStatus held = samples::idle();
    held.state = "held";
    held.reason = "the state is damaged";
    EXPECT_THAT(news_between(samples::idle(), held), ElementsAre("held: the state is damaged"));
    EXPECT_THAT(news_between(samples::idle(), samples::held()), IsEmpty()) << "the story says so";
}

TEST(Opening, SaysWhyAndSinceWhen) {
    EXPECT_EQ(opening_text(samples::soaking(), now), "rotation (laptop lost), started 4m ago");
    TunnelStatus fresh = samples::soaking();
    fresh.started = now;
    EXPECT_EQ(opening_text(fresh, now), "rotation (laptop lost) starts");
}

}  // namespace
}  // namespace keyturn
