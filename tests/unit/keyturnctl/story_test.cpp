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
    EXPECT_THAT(story_of(samples::idle(), preflight, now), ElementsAre("02:30:00  preflight"));
}

TEST(Story, TellsWhatHappenedToEachUnit) {
    TunnelStatus before = restarting();
    before.units[0].step = "waiting";
    EXPECT_THAT(story_of(before, restarting(), now),
                ElementsAre("02:30:00    cloudflared-web@a.service: restarting"));
}

TEST(Story, TellsTheUnitBeforeTheSoakThatItBegins) {
    EXPECT_THAT(
        story_of(restarting(), samples::soaking(), now),
        ElementsAre("02:30:00    cloudflared-web@a.service: verified (systemd, ready, api), "
                    "4 connections",
                    "02:30:00  soak after batch 1 of 2, 10m"));
}

TEST(Story, TellsTheNextBatchBeforeItsUnits) {
    TunnelStatus after = restarting();
    after.batch = 2;
    after.units = samples::soaking().units;
    after.units[1].step = "restarting";
    EXPECT_THAT(story_of(samples::soaking(), after, now),
                ElementsAre("02:30:00  roll, batch 2 of 2",
                            "02:30:00    cloudflared-web@b.service: restarting"));
}

TEST(Story, TellsASoakThatBeginsAnew) {
    TunnelStatus after = samples::soaking();
    after.step_started = now;
    EXPECT_THAT(story_of(samples::soaking(), after, now),
                ElementsAre("02:30:00  the soak starts over: not everything was healthy"));
}

TEST(Story, TellsOnceThatTheSoakIsDisturbedForAWhile) {
    TunnelStatus disturbed = samples::soaking();
    disturbed.step_started = now;
    TunnelStatus before = disturbed;
    for (int look = 1; look <= 60; ++look) {
        TunnelStatus after = before;
        *after.step_started += std::chrono::seconds{1};
        EXPECT_THAT(story_of(before, after, now), IsEmpty()) << look;
        before = after;
    }
    TunnelStatus later = before;
    *later.step_started += std::chrono::minutes{1};
    EXPECT_THAT(story_of(before, later, now), SizeIs(1));
}

TEST(Story, CallsASurgeByItsName) {
    const UnitStatus surge{"keyturn-surge@web.service", "restarting", 0, -1, ""};
    TunnelStatus starting = restarting();
    starting.units.push_back(surge);
    EXPECT_THAT(
        story_of(restarting(), starting, now),
        ElementsAre("02:30:00    keyturn-surge@web.service: starting as an extra connector"));
    TunnelStatus helping = starting;
    helping.units.back() = {surge.name, "verified", 0, 4, "systemd, ready"};
    EXPECT_THAT(story_of(starting, helping, now),
                ElementsAre("02:30:00    keyturn-surge@web.service: serving (systemd, ready), "
                            "4 connections"));
    EXPECT_THAT(story_of(helping, restarting(), now),
                ElementsAre("02:30:00    keyturn-surge@web.service: stopped, no longer needed"));
}

TEST(Story, TellsEachEvictionTheOutageAndTheLockout) {
    TunnelStatus before = restarting();
    TunnelStatus after = before;
    after.evicted = {"connector thief from 198.51.100.7"};
    EXPECT_THAT(story_of(before, after, now),
                ElementsAre("02:30:00  dropped: connector thief from 198.51.100.7"));
    EXPECT_THAT(story_of(after, after, now), IsEmpty());
    before = after;
    after.outage = Milliseconds{1100};
    EXPECT_THAT(story_of(before, after, now),
                ElementsAre("02:30:00  the first unit is back; no unit was connected for 1.1s"));
    before = after;
    after.lockout = Milliseconds{3400};
    EXPECT_THAT(story_of(before, after, now),
                ElementsAre("02:30:00  everybody else is locked out after 3.4s: Cloudflare lists "
                            "only the tunnel's own units"));
}

TEST(Story, TellsWaitingAndGoingOn) {
    TunnelStatus waiting = restarting();
    waiting.state = "waiting";
    waiting.reason = "the API does not answer";
    EXPECT_THAT(story_of(restarting(), waiting, now),
                ElementsAre("02:30:00  waiting: the API does not answer"));
    EXPECT_THAT(story_of(waiting, waiting, now), IsEmpty());
    EXPECT_THAT(story_of(waiting, restarting(), now), ElementsAre("02:30:00  continues"));
}

TEST(Story, TellsAReasonOnceThoughEachAnswerHasItsNumber) {
    TunnelStatus before = restarting();
    before.state = "waiting";
    before.reason = "GET token: HTTP 503 (cf-ray 5ec7077f38cd3d08-TST)";
    TunnelStatus after = before;
    after.reason = "GET token: HTTP 503 (cf-ray 8f35b1fe553e18dd-TST)";
    EXPECT_THAT(story_of(before, after, now), IsEmpty());
    after.reason = "GET token: HTTP 502 (cf-ray 8f35b1fe553e18dd-TST)";
    EXPECT_THAT(
        story_of(before, after, now),
        ElementsAre("02:30:00  waiting: GET token: HTTP 502 (cf-ray 8f35b1fe553e18dd-TST)"));
}

TEST(Story, TellsThatItSettlesBeforeTheFirstBatch) {
    TunnelStatus before = restarting();
    before.phase = "commit";
    before.batch = 0;
    TunnelStatus after = before;
    after.phase = "roll";
    EXPECT_THAT(story_of(before, after, now), ElementsAre("02:30:00  roll, settling"));
}

TEST(Story, OfARetryTellsOnlyWhatIsNew) {
    EXPECT_THAT(story_of(samples::held(), restarting(), now), ElementsAre("02:30:00  continues"));
}

TEST(Story, TellsUnitsThatDoNotRun) {
    TunnelStatus after = restarting();
    after.units = {{"cloudflared-web@c.service", "listed", 0, -1, ""}};
    EXPECT_THAT(
        story_of(samples::idle(), after, now),
        ElementsAre("02:30:00  roll, batch 1 of 2",
                    "02:30:00    cloudflared-web@c.service: not running; gets the token but "
                    "is not started"));
}

TEST(Story, HasNothingToTellWhenConnectionsComeAndGo) {
    TunnelStatus after = samples::soaking();
    after.units[1].connections = 3;
    EXPECT_THAT(story_of(samples::soaking(), after, now), IsEmpty());
}

}  // namespace
}  // namespace keyturn
