#include "tunnel_watch.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using samples::now;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// The tunnel "web" before the rotation of the samples.
TunnelStatus idle() {
    TunnelStatus tunnel = samples::idle();
    tunnel.name = "web";
    return tunnel;
}

TunnelStatus done() {
    TunnelStatus tunnel = idle();
    tunnel.rotation_id = "3f2a";
    tunnel.last_done = now + minutes{8};
    tunnel.last_ended = tunnel.last_done;
    return tunnel;
}

TEST(TunnelWatch, FollowsOneRotationAfterTheOther) {
    TunnelWatch watch(idle(), false);
    EXPECT_THAT(watch.saw(idle(), now), IsEmpty());
    for (int round = 0; round < 2; ++round) {
        TunnelStatus open = samples::soaking();
        *open.started += minutes{round * 10};
        EXPECT_THAT(watch.saw(open, now),
                    ElementsAre(StartsWith("02:30:00  rotation (laptop lost)"),
                                HasSubstr("soak after batch 1 of 2"), HasSubstr("verified")));
        TunnelStatus ended = done();
        *ended.last_done += minutes{round * 10};
        ended.last_ended = ended.last_done;
        EXPECT_THAT(watch.saw(ended, now),
                    ElementsAre(StartsWith("02:30:00  web: done in 12m; the fingerprint")));
        EXPECT_THAT(watch.saw(ended, now), IsEmpty());
    }
}

TEST(TunnelWatch, AttachesToARotationThatIsOpen) {
    TunnelWatch watch(samples::soaking(), true);
    EXPECT_THAT(watch.saw(samples::soaking(), now),
                ElementsAre("02:30:00  web: rotation (laptop lost), started 4m ago",
                            HasSubstr("web: soak after batch 1 of 2"), HasSubstr("verified")));
    EXPECT_THAT(watch.saw(samples::soaking(), now), IsEmpty());
}

TEST(TunnelWatch, TellsAHoldOnceAndWhatComesAfterTheDecision) {
    TunnelWatch watch(samples::held(), false);
    EXPECT_THAT(watch.saw(samples::held(), now),
                ElementsAre(HasSubstr("rotation (laptop lost)"), HasSubstr("roll, batch 1 of 2"),
                            HasSubstr("restarting"),
                            StartsWith("02:30:00  web: held (verification_failed): "),
                            HasSubstr("journalctl -u cloudflared-web@a.service"),
                            HasSubstr("keyturnctl retry web"), HasSubstr("keyturnctl revert web")));
    EXPECT_THAT(watch.saw(samples::held(), now + minutes{20}), IsEmpty());
    EXPECT_THAT(watch.nothing_new(now + minutes{20}), IsEmpty()) << "a hold waits in silence";
    TunnelStatus running = samples::held();
    running.state = "running";
    running.reason.clear();
    running.hold_reason.clear();
    EXPECT_THAT(watch.saw(running, now), ElementsAre("02:30:00  continues"));
    EXPECT_THAT(watch.saw(done(), now),
                ElementsAre(StartsWith("02:30:00  web: done in 12m; the fingerprint")));
}

TEST(TunnelWatch, FollowsTheCompromiseThatReplacesARotation) {
    TunnelWatch watch(samples::soaking(), false);
    static_cast<void>(watch.saw(samples::soaking(), now));
    TunnelStatus compromise = samples::soaking();
    compromise.rotation_id = "9b9b";
    compromise.trigger = "compromised";
    compromise.started = now;
    compromise.evicted = {"thief"};
    EXPECT_THAT(
        watch.saw(compromise, now),
        ElementsAre(HasSubstr("web: superseded: another rotation replaced it (compromised)"),
                    HasSubstr("keyturnctl status web"), "02:30:00  rotation (compromised) starts",
                    HasSubstr("soak after"), HasSubstr("verified"), "02:30:00  dropped: thief"));
}

TEST(TunnelWatch, TellsNewsBetweenRotations) {
    TunnelWatch watch(idle(), true);
    TunnelStatus found = idle();
    found.findings = {"one replica only"};
    EXPECT_THAT(watch.saw(found, now), ElementsAre("02:30:00  web: finding: one replica only"));
    TunnelStatus refused = found;
    refused.last_outcome = "refused";
    refused.last_ended = now;
    refused.reason = "one replica only";
    EXPECT_THAT(watch.saw(refused, now),
                ElementsAre("02:30:00  web: refused, nothing was touched: one replica only"));
}

TEST(TunnelWatch, BreaksTheSilenceOfARotation) {
    TunnelWatch watch(samples::soaking(), true);
    EXPECT_THAT(watch.nothing_new(now), IsEmpty());
    static_cast<void>(watch.saw(samples::soaking(), now));
    EXPECT_THAT(watch.nothing_new(now + minutes{10}),
                ElementsAre("02:40:00  web: still in soak after batch 1 of 2"));
}

}  // namespace
}  // namespace keyturn
