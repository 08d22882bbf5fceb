#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Fate = RotationWorld::Fate;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";
const std::string extra = "keyturn-surge@web.service";

/// One unit, and another that helps out.
struct SurgeWorld : RotationWorld {
    explicit SurgeWorld(std::vector<std::string> names = {a}) : RotationWorld(std::move(names)) {
        add_surge(extra);
    }
    /// keyturnd is killed right before it stops the extra one.
    void die_before_the_stop() {
        start();
        ASSERT_TRUE(run_until("stop " + extra));
        crash_and_restart();
    }
    /// It does not recover by itself.
    void lose_the_unit() {
        unit(a).token = Token::foreign;
        unit(a).readiness->connections = 0;
    }
    [[nodiscard]] bool extra_stopped() { return unit(extra).state.active_state == "inactive"; }
};

void expect_done_and_stopped(SurgeWorld& world) {
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(world.extra_stopped());
    EXPECT_GE(world.fewest_serving, 1);
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Surge, StartsFirstAndIsStoppedLast) {
    SurgeWorld world;
    world.start();
    world.run();
    expect_done_and_stopped(world);
    EXPECT_THAT(world.deeds(), ElementsAre("patch", "deliver", "restart " + extra, "restart " + a,
                                           "stop " + extra));
    EXPECT_EQ(world.unit(a).token, Token::ours);
}

TEST(Surge, IsToldAndIsNoneOfTheUnits) {
    SurgeWorld world;
    world.start();
    world.run();
    EXPECT_THAT(world.last(EventKind::rotation_started)->message,
                HasSubstr("1 units in 1 batches"));
    EXPECT_EQ(world.last(EventKind::surge_started)->target_unit, extra);
    EXPECT_EQ(world.last(EventKind::surge_stopped)->target_unit, extra);
    EXPECT_EQ(world.last(EventKind::unit_restarting)->target_unit, a);
    EXPECT_FALSE(world.told(EventKind::unit_left_stopped)) << "it is stopped as a rule";
    EXPECT_THAT(world.history.front().text, HasSubstr("1 units serve"));
}

TEST(Surge, HasToHaveAsManyConnectionsAsTheBestUnit) {
    SurgeWorld world;
    world.unit(extra).connections_full = 2;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->unit, extra);
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("2 of 3 connections"));
    EXPECT_EQ(world.unit(a).restarts, 0);
}

TEST(Surge, SettlesBeforeAUnitReliesOnIt) {
    SurgeWorld world;
    BootTime verified{};
    BootTime restarted{};
    world.policy.rollout.settle = 40s;
    world.before_action = [&](const std::string& action) {
        const UnitProgress* progress = world.disk_record ? world.disk_record->find(extra) : nullptr;
        if (progress != nullptr && progress->step == UnitStep::verified && verified == BootTime{})
            verified = world.now;
        if (action == "restart " + a) restarted = world.now;
    };
    world.start();
    world.run();
    expect_done_and_stopped(world);
    EXPECT_GE(restarted - verified, 40s);
}

TEST(Surge, IsNotNeededWhereEnoughServe) {
    SurgeWorld world({a, b, c});
    world.start();
    world.run();
    expect_done_and_stopped(world);
    EXPECT_EQ(world.count("restart " + extra), 0U);
    EXPECT_EQ(world.count("stop " + extra), 0U);
    EXPECT_FALSE(world.told(EventKind::surge_started));
}

TEST(Surge, IsNotNeededWhereAGapIsAccepted) {
    SurgeWorld world;
    world.request.accept_gap = true;
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.count("restart " + extra), 0U);
}

TEST(Surge, IsRefusedWhereItRunsAlready) {
    SurgeWorld world;
    world.unit(extra).state.active_state = "active";
    world.unit(extra).state.sub_state = "running";
    world.unit(extra).state.main_pid = 4711;
    world.start();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_THAT(world.history.front().text, HasSubstr("systemctl stop " + extra));
}

TEST(Surge, IsRefusedWhereItWouldNotTakeItsTokenFromOurFile) {
    SurgeWorld world;
    world.unit(extra).problem = "it takes its token from its command line";
    world.start();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_THAT(world.history.front().text, HasSubstr(extra + ": it takes its token"));
}

TEST(Surge, IsRefusedWhereEvenOneMoreIsTooFew) {
    SurgeWorld world;
    world.policy.rollout.min_available = 2;
    world.start();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_THAT(world.history.front().text, HasSubstr("add a unit, or accept a gap"));
}

TEST(Surge, IsRefusedWhereItIsAllThereIs) {
    SurgeWorld world(std::vector<std::string>{});
    world.start();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_THAT(world.history.front().text, HasSubstr("no unit matches"));
}

TEST(Surge, ThatFailsToStartIsHeldWithTheUnitsUntouched) {
    SurgeWorld world;
    world.unit(extra).fate = Fate::fails;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::verification_failed);
    EXPECT_EQ(world.disk_record->hold->unit, extra);
    EXPECT_EQ(world.unit(a).restarts, 0);
    world.unit(extra).fate = Fate::comes_up;
    world.retry_and_run();
    expect_done_and_stopped(world);
}

TEST(Surge, ThatFailsToStartIsGoneBackFromWhereThePolicySaysSo) {
    SurgeWorld world;
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(extra).fate = Fate::fails;
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.history.front().outcome, Outcome::reverted);
    EXPECT_EQ(world.unit(a).restarts, 0);
    EXPECT_EQ(world.api_token, Token::old);
    EXPECT_TRUE(world.extra_stopped()) << "one that failed is stopped, too";
}

TEST(Surge, ThatMayNotBeStartedIsHeld) {
    SurgeWorld world;
    world.faults.push_back({"restart " + extra, {Fault::denied, "polkit says no", {}}});
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::not_allowed);
    EXPECT_EQ(world.disk_record->hold->unit, extra);
    EXPECT_EQ(world.disk_record->find(extra)->step, UnitStep::listed);
    world.retry_and_run();
    expect_done_and_stopped(world);
}

TEST(Surge, ThatSomebodyElseStopsMeanwhileIsHeld) {
    SurgeWorld world;
    world.unit(extra).fate = Fate::canceled;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::operator_took_over);
    world.unit(extra).fate = Fate::comes_up;
    world.retry_and_run();
    expect_done_and_stopped(world);
}

/// A unit that an operator has stopped since preflight: the extra one takes its place.
TEST(Surge, HelpsOutInTheMiddleOfARollOut) {
    SurgeWorld world({a, b, c});
    world.policy.rollout.min_available = 2;
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.stop(world.unit(c));
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->unit, c);
    world.log.clear();
    world.retry_and_run();
    expect_done_and_stopped(world);
    EXPECT_THAT(world.deeds(),
                ElementsAre("deliver", "restart " + extra, "restart " + b, "stop " + extra));
    EXPECT_GE(world.fewest_serving, 2);
}

TEST(Surge, IsStoppedAfterARevertToo) {
    SurgeWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("restart " + extra));
    world.step();
    world.rotation->ask_to_revert();
    world.run();
    expect_done_and_stopped(world);
    EXPECT_EQ(world.history.front().outcome, Outcome::reverted);
    EXPECT_EQ(world.unit(a).restarts, 0);
}

TEST(Surge, IsRestartedAndStoppedWhereTheTokenChangesMeanwhile) {
    SurgeWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.before_action = [&world, once = true](const std::string& action) mutable {
        if (action == "list connectors" && std::exchange(once, false))
            world.api_token = Token::foreign;
    };
    world.run();
    expect_done_and_stopped(world);
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
}

/// Another unit that was started since counts as well.
TEST(Surge, IsStoppedOnlyWhileEnoughOthersServe) {
    SurgeWorld world;
    world.policy.rollout.progress_deadline = 5min;
    world.die_before_the_stop();
    world.lose_the_unit();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::verification_failed);
    EXPECT_EQ(world.disk_record->hold->unit, a) << "who is missing, not who cannot be stopped";
    EXPECT_FALSE(world.extra_stopped());
    world.unit(a).token = Token::ours;
    world.retry_and_run();
    expect_done_and_stopped(world);
}

TEST(Surge, IsNotStoppedWhileItIsUnknownWhetherEnoughOthersServe) {
    SurgeWorld world;
    world.policy.rollout.progress_deadline = 5min;
    world.die_before_the_stop();
    const BootTime blind_since = world.now;
    world.before_action = [&](const std::string& action) {
        const bool blind = world.now - blind_since < 30min;
        world.unit(a).silent = blind ? "it does not answer within 1.5 s" : "";
        if (blind) {
            EXPECT_NE(action, "stop " + extra);
        }
    };
    world.run();
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    expect_done_and_stopped(world);
}

/// After a compromise what does not tell its connector is proven by systemd alone.
TEST(Surge, ThatIsSilentIsNoOtherThanItself) {
    SurgeWorld world;
    world.request.kind = RotationKind::compromise;
    world.policy.rollout.progress_deadline = 5min;
    world.unit(extra).silent = "it has a network namespace of its own";
    world.die_before_the_stop();
    world.lose_the_unit();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.count("stop " + extra), 0U);
}

TEST(Surge, ThatCannotBeStoppedIsHeld) {
    SurgeWorld world;
    world.faults.push_back({"stop " + extra, {Fault::denied, "polkit says no", {}}});
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::surge_not_stopped);
    EXPECT_EQ(world.disk_record->hold->unit, extra);
    world.retry_and_run();
    expect_done_and_stopped(world);
}

TEST(Surge, IsStoppedOnceTheBusIsBack) {
    SurgeWorld world;
    world.faults.push_back({"stop " + extra, {Fault::unreachable, "the bus is down", {}}});
    world.start();
    world.run();
    expect_done_and_stopped(world);
    EXPECT_TRUE(world.told(EventKind::rotation_waiting));
    EXPECT_EQ(world.count("stop " + extra), 2U);
}

TEST(Surge, IsNotStoppedDuringAPause) {
    SurgeWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.step();
    world.paused = true;
    world.rotation->set_paused(true);
    for (int i = 0; i < 2'000; ++i) world.step();
    EXPECT_EQ(world.rotation->view().state, RotationState::paused);
    EXPECT_FALSE(world.extra_stopped());
    world.rotation->set_paused(false);
    world.run();
    expect_done_and_stopped(world);
}

TEST(Surge, HelpsOutAndIsStoppedWhereverACrashComes) {
    SurgeWorld whole;
    whole.start();
    whole.run();
    const std::size_t actions = whole.log.size();
    for (std::size_t n = 1; n < actions; ++n) {
        SCOPED_TRACE(n);
        SurgeWorld world;
        world.start();
        for (std::size_t i = 0; i < n; ++i) world.step();
        if (!world.disk_record) continue;
        world.crash_and_restart();
        world.run();
        expect_done_and_stopped(world);
        EXPECT_EQ(world.patches, 1);
        EXPECT_EQ(world.unit(a).restarts, 1);
        EXPECT_EQ(world.unit(extra).restarts, 1);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace keyturn
