#include "follower.hpp"

#include "samples.hpp"
#include "story.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using samples::now;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The tunnel "web" before the rotation of the samples.
TunnelStatus before() {
    TunnelStatus tunnel = samples::idle();
    tunnel.name = "web";
    tunnel.due.reset();
    return tunnel;
}

TunnelStatus done() {
    TunnelStatus tunnel = before();
    tunnel.rotation_id = "3f2a";
    tunnel.last_done = now + minutes{8};
    tunnel.fingerprint = "fedcba9876543210";
    return tunnel;
}

TEST(Follower, EndsWithOkWhenTheRotationIsDone) {
    Follower follower(before(), {});
    EXPECT_THAT(follower.saw(samples::soaking(), now),
                ElementsAre(HasSubstr("soak after batch 1 of 2"), HasSubstr("verified")));
    EXPECT_FALSE(follower.verdict());
    static_cast<void>(follower.saw(done(), now + minutes{8}));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::ok);
    EXPECT_THAT(follower.verdict()->lines,
                ElementsAre("web: done in 12m; the fingerprint of the token is fedcba9876543210"));
}

TEST(Follower, EndsWithHeldAndTheRemedy) {
    Follower follower(before(), {});
    static_cast<void>(follower.saw(samples::held(), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::held);
    EXPECT_THAT(
        follower.verdict()->lines,
        ElementsAre(AllOf(HasSubstr("web: held (verification_failed)"), HasSubstr("within 2m")),
                    "To see its log: journalctl -u cloudflared-web@a.service -n 20",
                    "When you have fixed it: keyturnctl retry web --follow",
                    "Or restore the old token: keyturnctl revert web --follow"));
}

TEST(Follower, EndsWithRefusedEvenIfItWasTooFastToBeSeen) {
    Follower follower(before(), {});
    TunnelStatus refused = before();
    refused.last_outcome = "refused";
    refused.reason = "one replica only";
    static_cast<void>(follower.saw(refused, now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::refused);
    EXPECT_THAT(follower.verdict()->lines,
                ElementsAre("web: refused, nothing was touched: one replica only"));
}

TEST(Follower, WaitsForARotationThatHasNotShownYet) {
    Follower follower(before(), {});
    EXPECT_THAT(follower.saw(before(), now), IsEmpty());
    EXPECT_FALSE(follower.verdict());
    EXPECT_FALSE(follower.begun());
    static_cast<void>(follower.saw(samples::soaking(), now));
    EXPECT_TRUE(follower.begun());
}

TEST(Follower, TakesTheSameRefusalAgainForAnAnswerAfterAWhile) {
    TunnelStatus refused = before();
    refused.last_outcome = "refused";
    Follower follower(refused, {});
    // However often one asks: whoever is on the bus can bring that about.
    for (int reading = 0; reading < 300; ++reading) {
        static_cast<void>(follower.saw(refused, now + Milliseconds{9 * reading}));
        EXPECT_FALSE(follower.verdict()) << reading;
    }
    static_cast<void>(follower.saw(refused, now + seconds{3}));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::refused);
}

TEST(Follower, OfARetryDoesNotTakeTheOldHoldForTheNewOne) {
    Follower follower(samples::held(), {});
    static_cast<void>(follower.saw(samples::held(), now));
    EXPECT_FALSE(follower.verdict());
    TunnelStatus running = samples::held();
    running.state = "running";
    EXPECT_THAT(follower.saw(running, now), ElementsAre("02:30:00  continues"));
    static_cast<void>(follower.saw(samples::held(), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::held);
}

TunnelStatus ended_as(std::string outcome) {
    TunnelStatus tunnel = before();
    tunnel.rotation_id = "3f2a";
    tunnel.last_outcome = std::move(outcome);
    tunnel.reason = "it was so";
    return tunnel;
}

TEST(Follower, SaysByItsExitCodeThatTheRotationWentBackUnasked) {
    Follower follower(before(), {});
    static_cast<void>(follower.saw(samples::soaking(), now));
    static_cast<void>(follower.saw(ended_as("reverted"), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::reverted);
    EXPECT_THAT(follower.verdict()->lines, ElementsAre("web: reverted: it was so"));
}

TEST(Follower, OfARevertEndsWithOkWhereTheRotationWentBack) {
    Follower follower(samples::soaking(), {Following::decision, "reverted"});
    TunnelStatus reverting = samples::soaking();
    reverting.phase = "reverting";
    static_cast<void>(follower.saw(reverting, now));
    EXPECT_FALSE(follower.verdict());
    static_cast<void>(follower.saw(ended_as("reverted"), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::ok);
    EXPECT_THAT(follower.verdict()->lines, ElementsAre("web: reverted: it was so"));
}

TEST(Follower, SaysByItsExitCodeThatSomebodyElsesTokenWasTakenOver) {
    Follower follower(before(), {});
    static_cast<void>(follower.saw(samples::soaking(), now));
    static_cast<void>(follower.saw(ended_as("taken over"), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::superseded);
    EXPECT_THAT(follower.verdict()->lines, ElementsAre("web: taken over: it was so"));
}

TEST(Follower, SaysThatAnotherRotationTookThePlace) {
    Follower follower(before(), {});
    static_cast<void>(follower.saw(samples::soaking(), now));
    TunnelStatus compromised = samples::soaking();
    compromised.rotation_id = "9b9b";
    compromised.trigger = "compromised: laptop lost";
    static_cast<void>(follower.saw(compromised, now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::superseded);
    EXPECT_THAT(follower.verdict()->lines,
                ElementsAre("web: superseded: another rotation replaced it (compromised: laptop "
                            "lost)",
                            "To see its status: keyturnctl status web"));
}

TEST(Follower, SaysSoAlsoWhereTheOtherRotationHasEndedMeanwhile) {
    Follower follower(before(), {});
    static_cast<void>(follower.saw(samples::soaking(), now));
    TunnelStatus other = done();
    other.rotation_id = "9b9b";
    static_cast<void>(follower.saw(other, now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::superseded);
}

TEST(Follower, OfACompromiseWaitsForTheOpenRotationToGiveWay) {
    Follower follower(samples::soaking(), {Following::request});
    EXPECT_THAT(follower.saw(samples::soaking(), now), IsEmpty());
    EXPECT_THAT(follower.saw(samples::soaking(), now + minutes{1}), IsEmpty());
    EXPECT_FALSE(follower.begun());
    TunnelStatus compromised = samples::soaking();
    compromised.started = now;
    compromised.rotation_id = "9b9b";
    EXPECT_THAT(follower.saw(compromised, now), Not(IsEmpty()));
    EXPECT_FALSE(follower.verdict());
    TunnelStatus ended = done();
    ended.rotation_id = "9b9b";
    static_cast<void>(follower.saw(ended, now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::ok);
}

TEST(Follower, OfACompromiseSumsUpHowLongItTook) {
    Follower follower(before(), {Following::request});
    TunnelStatus open = samples::soaking();
    open.phase = "finish";
    static_cast<void>(follower.saw(open, now));
    TunnelStatus ended = done();
    ended.evicted = {"connector thief from 198.51.100.7"};
    ended.outage = Milliseconds{1100};
    ended.lockout = Milliseconds{3400};
    EXPECT_THAT(follower.saw(ended, now),
                ElementsAre("02:30:00  dropped: connector thief from 198.51.100.7",
                            "02:30:00  the first unit is back; no unit was connected for 1.1s",
                            "02:30:00  everybody else is locked out after 3.4s: Cloudflare lists "
                            "only the tunnel's own units"))
        << "also where the end is the first that is seen of it";
    ASSERT_TRUE(follower.verdict());
    EXPECT_THAT(
        follower.verdict()->lines,
        ElementsAre(HasSubstr("web: done in"), "web: everybody else was locked out after 3.4s",
                    "web: no unit was connected for 1.1s"));
}

TEST(Follower, BreaksALongSilence) {
    Follower follower(before(), {});
    EXPECT_THAT(follower.nothing_new(now), IsEmpty());
    static_cast<void>(follower.saw(samples::soaking(), now));
    EXPECT_THAT(follower.nothing_new(now + minutes{2}), IsEmpty());
    static_cast<void>(follower.saw(samples::soaking(), now + minutes{9}));
    EXPECT_THAT(follower.nothing_new(now + minutes{10}),
                ElementsAre("02:40:00  still in soak after batch 1 of 2"));
    EXPECT_THAT(follower.nothing_new(now + minutes{11}), IsEmpty());
    EXPECT_EQ(standing_text(samples::soaking(), now), "still in soak after batch 1 of 2, 6m left");
    TunnelStatus waiting = samples::soaking();
    waiting.state = "waiting";
    waiting.reason = "the API does not answer";
    EXPECT_EQ(standing_text(waiting, now), "still waiting: the API does not answer");
}

TEST(Follower, GoesOnWhileARotationIsPaused) {
    Follower follower(before(), {});
    TunnelStatus paused = samples::soaking();
    paused.state = "paused";
    static_cast<void>(follower.saw(samples::soaking(), now));
    static_cast<void>(follower.saw(paused, now));
    EXPECT_FALSE(follower.verdict());
    static_cast<void>(follower.saw(done(), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::ok);
}

TEST(Follower, EndsWhereARotationHasEndedAndTheTunnelIsPaused) {
    Follower follower(before(), {});
    static_cast<void>(follower.saw(samples::soaking(), now));
    TunnelStatus paused = done();
    paused.state = "paused";
    static_cast<void>(follower.saw(paused, now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::ok);
}

TEST(Follower, DoesNotCallARotationDoneThatLeftNoTrace) {
    Follower follower(before(), {});
    TunnelStatus preflight = before();
    preflight.state = "running";
    preflight.phase = "preflight";
    static_cast<void>(follower.saw(preflight, now));
    static_cast<void>(follower.saw(before(), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::error);
    EXPECT_THAT(follower.verdict()->lines, ElementsAre(HasSubstr("without a result")));
}

TEST(Follower, OfAnOpenRotationTellsWhatHasAlreadyHappened) {
    Follower follower(samples::soaking(), {Following::open});
    EXPECT_THAT(follower.saw(samples::soaking(), now),
                ElementsAre("02:30:00  rotation (laptop lost), started 4m ago",
                            HasSubstr("soak after batch 1 of 2, 10m"), HasSubstr("verified")));
    EXPECT_TRUE(follower.begun());
    static_cast<void>(follower.saw(done(), now + minutes{8}));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::ok);
}

TEST(Follower, OfAnOpenRotationThatIsHeldSaysSoAtOnce) {
    Follower follower(samples::held(), {Following::open});
    static_cast<void>(follower.saw(samples::held(), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::held);
}

TEST(Follower, OfAnOpenRotationThatHasJustEndedKnowsHow) {
    Follower follower(samples::soaking(), {Following::open});
    static_cast<void>(follower.saw(ended_as("reverted"), now));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::reverted);
}

TEST(Follower, OfTheNextRotationHasPatience) {
    Follower follower(before(), {Following::next, "done", true});
    TunnelStatus paused = before();
    paused.state = "paused";
    EXPECT_THAT(follower.saw(before(), now), IsEmpty());
    EXPECT_THAT(follower.saw(paused, now + std::chrono::hours{1}), IsEmpty());
    EXPECT_FALSE(follower.verdict());
    TunnelStatus preflight = before();
    preflight.state = "running";
    preflight.phase = "preflight";
    preflight.trigger = "schedule";
    EXPECT_THAT(follower.saw(preflight, now),
                ElementsAre("02:30:00  web: rotation (schedule) starts",
                            HasSubstr("02:30:00  web: preflight: checking")));
}

TEST(Follower, OfTheNextRotationNoticesOneThatWasTooFast) {
    TunnelStatus refused = before();
    refused.last_outcome = "refused";
    Follower follower(refused, {Following::next});
    EXPECT_THAT(follower.saw(refused, now + minutes{1}), IsEmpty());
    EXPECT_FALSE(follower.verdict());
    refused.last_ended = now;
    static_cast<void>(follower.saw(refused, now + minutes{1}));
    ASSERT_TRUE(follower.verdict());
    EXPECT_EQ(follower.verdict()->exit_code, ExitCode::refused);
}

}  // namespace
}  // namespace keyturn
