#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Fate = RotationWorld::Fate;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

bool stands_still(const RotationWorld& world) {
    return world.rotation->view().state == RotationState::paused;
}

/// Goes on until the pause has stopped it, and a long time after that.
void come_to_a_standstill(RotationWorld& world) {
    for (int i = 0; i < 20'000 && !stands_still(world); ++i) world.step();
    ASSERT_TRUE(stands_still(world));
    const BootTime stopped = world.now;
    while (world.now - stopped < 3h) world.step();
    ASSERT_TRUE(stands_still(world));
}

void resume(RotationWorld& world) {
    world.paused = false;
    world.rotation->set_paused(false);
    world.run();
}

/// A pause in the first soak.
void pause_in_the_soak(RotationWorld& world) {
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.paused = true;
    world.rotation->set_paused(true);
    come_to_a_standstill(world);
}

TEST(Paused, StopsBeforeTheSecretIsSent) {
    RotationWorld world({a, b});
    world.paused = true;
    world.start();
    come_to_a_standstill(world);
    EXPECT_TRUE(world.pending_kept);
    EXPECT_THAT(world.deeds(), ElementsAre());
    EXPECT_EQ(world.disk_record->phase, Phase::prepare);
    EXPECT_EQ(world.rotation->view().reason, "an operator has paused it");
    const Event* told = world.last(EventKind::rotation_paused);
    ASSERT_NE(told, nullptr);
    EXPECT_EQ(told->result, "paused");
    EXPECT_THAT(told->message,
                AllOf(HasSubstr("`keyturnctl resume web`"), Not(HasSubstr("meanwhile"))));
    resume(world);
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::rotation_continued));
    EXPECT_EQ(world.patches, 1);
}

TEST(Paused, StopsBeforeTheNextRestartAndSaysThatUnitsDecay) {
    RotationWorld world({a, b});
    pause_in_the_soak(world);
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(b).restarts, 0);
    EXPECT_THAT(world.last(EventKind::rotation_paused)->message,
                HasSubstr("cannot get a lost connection back meanwhile"));
    EXPECT_EQ(std::ranges::count(world.events, EventKind::rotation_paused, &Event::kind), 1);
    EXPECT_FALSE(world.told(EventKind::hold_urgent));
    resume(world);
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(b).restarts, 1);
    EXPECT_EQ(world.history.front().outcome, Outcome::done);
}

TEST(Paused, ProvesARestartThatIsUnderWay) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.paused = true;
    world.rotation->set_paused(true);
    come_to_a_standstill(world);
    EXPECT_EQ(world.rotation->record().find(a)->step, UnitStep::verified);
    EXPECT_EQ(world.rotation->record().find(b)->step, UnitStep::waiting);
    resume(world);
    EXPECT_TRUE(world.done());
}

TEST(Paused, StopsARestartThatIsRecordedAndNotMade) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.paused = true;
    world.crash_and_restart();
    come_to_a_standstill(world);
    EXPECT_EQ(world.rotation->record().find(a)->step, UnitStep::restarting);
    EXPECT_EQ(world.unit(a).restarts, 0);
    resume(world);
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(Paused, StopsARestartThatWaitsForTheTokenFile) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.crash_and_restart();
    ASSERT_TRUE(world.run_until("check files"));
    world.file_emptied = true;
    ASSERT_TRUE(world.run_until("deliver"));
    world.paused = true;
    world.rotation->set_paused(true);
    come_to_a_standstill(world);
    EXPECT_EQ(world.unit(a).restarts, 0);
    resume(world);
    EXPECT_TRUE(world.done());
}

TEST(Paused, IsStillPausedAfterACrash) {
    RotationWorld world({a, b});
    pause_in_the_soak(world);
    world.crash_and_restart();
    come_to_a_standstill(world);
    EXPECT_EQ(world.unit(b).restarts, 0);
    resume(world);
    EXPECT_TRUE(world.done());
}

TEST(Paused, RaisesTheAlarmWhenTooFewServe) {
    RotationWorld world({a, b});
    pause_in_the_soak(world);
    for (const std::string& each : {a, b}) {
        world.unit(each).token = Token::foreign;  // They do not recover by themselves.
        world.unit(each).readiness->connections = 0;
    }
    for (int i = 0; i < 50; ++i) world.step();
    const Event* urgent = world.last(EventKind::hold_urgent);
    ASSERT_NE(urgent, nullptr);
    EXPECT_EQ(urgent->priority, Priority::alert);
    EXPECT_EQ(urgent->result, "paused");
    EXPECT_THAT(urgent->message, HasSubstr("is paused with 0 serving, min_available is 1"));
    const auto alarms = [&] {
        return std::ranges::count(world.events, EventKind::hold_urgent, &Event::kind);
    };
    EXPECT_EQ(alarms(), 1) << "once, not at every look";
    world.unit(a).readiness->connections = 4;
    for (int i = 0; i < 10; ++i) world.step();
    world.unit(a).readiness->connections = 0;
    for (int i = 0; i < 10; ++i) world.step();
    EXPECT_EQ(alarms(), 2) << "and again when it came back and went";
}

TEST(Paused, GoesOnLookingWhenTheBusIsDown) {
    RotationWorld world({a, b});
    pause_in_the_soak(world);
    world.before_action = [&](const std::string& action) {
        if (action == "sample" && stands_still(world) && world.faults.empty())
            world.faults.push_back({"sample", {Fault::unreachable, "the bus is down", {}}});
    };
    for (int i = 0; i < 20; ++i) world.step();
    EXPECT_TRUE(stands_still(world));
    world.before_action = nullptr;
    world.faults.clear();
    resume(world);
    EXPECT_TRUE(world.done());
}

/// A wait for replicas is no reason to go on when they come.
TEST(Paused, EndsAWaitForReplicas) {
    RotationWorld world({a, b});
    world.policy.rollout.soak = 1s;
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    ASSERT_TRUE(world.run_until("save roll"));
    world.unit(a).token = Token::foreign;  // It does not recover by itself.
    world.unit(a).readiness->connections = 0;
    for (int i = 0; i < 100 && world.rotation->view().state != RotationState::waiting; ++i)
        world.step();
    ASSERT_THAT(world.rotation->view().reason, HasSubstr("too few replicas"));
    world.paused = true;
    world.rotation->set_paused(true);
    come_to_a_standstill(world);
    world.unit(a).token = Token::ours;
    resume(world);
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Paused, DoesNotKeepARefusalBack) {
    RotationWorld world({a, b});
    world.paused = true;
    world.tunnel_deleted = true;
    world.start();
    world.run();
    EXPECT_TRUE(world.refused());
}

TEST(Paused, GoesBackWithoutARestartWhenAnOperatorReverts) {
    RotationWorld world({a, b});
    pause_in_the_soak(world);
    world.rotation->ask_to_revert();
    for (int i = 0; i < 10 && stands_still(world); ++i) world.step();
    come_to_a_standstill(world);
    EXPECT_EQ(world.api_token, Token::old) << "the secret is no restart";
    EXPECT_EQ(world.file_token, Token::old);
    EXPECT_EQ(world.unit(a).restarts, 1);
    resume(world);
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 2);
    EXPECT_EQ(world.history.front().outcome, Outcome::reverted);
}

TEST(Paused, NeitherSendsNorRestartsWhereverACrashComes) {
    for (std::size_t n = 1; n < 200; ++n) {
        SCOPED_TRACE(n);
        RotationWorld world({a, b, c});
        world.policy.rollout.soak = 4s;
        world.policy.rollout.min_healthy_time = 1s;
        world.start();
        for (std::size_t i = 0; i < n; ++i) world.step();
        if (!world.disk_record) break;
        world.paused = true;
        world.crash_and_restart();
        const int restarts =
            world.unit(a).restarts + world.unit(b).restarts + world.unit(c).restarts;
        for (int i = 0; i < 2'000 && !stands_still(world) && !world.rotation->ended(); ++i)
            world.step();
        EXPECT_EQ(world.unit(a).restarts + world.unit(b).restarts + world.unit(c).restarts,
                  restarts);
        resume(world);
        EXPECT_TRUE(world.done());
        EXPECT_EQ(world.patches, 1);
        EXPECT_EQ(world.secrets_made, 1);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace keyturn
