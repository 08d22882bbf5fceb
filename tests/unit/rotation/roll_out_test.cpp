#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Fate = RotationWorld::Fate;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

/// A rotation of two units in which the first fails: held, the second untouched, held after a
/// restart of the daemon too, and done after the fault is mended and an operator retries.
void expect_hold_and_retry(RotationWorld& world, HoldReason reason, const std::string& text) {
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, reason);
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr(text));
    EXPECT_TRUE(world.told(EventKind::rotation_held));
    EXPECT_EQ(world.unit(b).restarts, 0);

    world.crash_and_restart();
    for (int i = 0; i < 100; ++i) world.step();
    EXPECT_TRUE(world.held()) << "a restart of the daemon does not lift a hold";
    EXPECT_EQ(world.unit(b).restarts, 0);

    world.unit(a).fate = Fate::comes_up;
    if (world.unit(a).state.active_state == "activating") {
        world.unit(a).state.active_state = "failed";
    }
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(b).restarts, 1);
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(RollOut, RestartsEachUnitOnceAndNeverTheLastServingOne) {
    RotationWorld world({a, b, c});
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    for (const auto& [name, unit] : world.units) EXPECT_EQ(unit.restarts, 1) << name;
    EXPECT_GE(world.fewest_serving, 1);
    const UnitProgress* first = &world.history.front().units.front();
    EXPECT_EQ(first->verified_by, "systemd, ready, api");
}

TEST(RollOut, VerifiesAUnitBeforeItTouchesTheNext) {
    RotationWorld world({a, b});
    bool all_back = false;
    world.before_action = [&](const std::string& action) {
        if (action == "restart " + b) all_back = world.unit(a).readiness->connections == 4;
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(all_back);
}

TEST(RollOut, LetsTheEdgeSettleBeforeTheFirstRestart) {
    RotationWorld world({a, b});
    world.policy.rollout.settle = 7s;
    std::optional<BootTime> delivered;
    std::optional<BootTime> restarted;
    world.before_action = [&](const std::string& action) {
        if (action == "deliver") delivered = world.now;
        if (action == "restart " + a) restarted = world.now;
    };
    world.start();
    world.run();
    ASSERT_TRUE(delivered && restarted);
    EXPECT_EQ(*restarted - *delivered, 7s);
}

TEST(RollOut, TakesTheMinimumHealthyTimeForEachUnit) {
    RotationWorld world({a, b, c});
    world.policy.rollout.min_healthy_time = 10s;
    std::map<std::string, BootTime> restarted;
    world.before_action = [&](const std::string& action) {
        if (action.starts_with("restart ")) restarted.try_emplace(action.substr(8), world.now);
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_GE(restarted[c] - restarted[b], 12s) << "connected after 2 s, steady after 10 more";
}

TEST(RollOut, BeginsAVerificationAnewAfterTheBusWasDown) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::one_short;  // Passes at the deadline, which tells when that was.
    std::optional<BootTime> back;
    world.before_action = [&](const std::string& action) {
        if (action != "sample" || world.unit(a).restarts == 0 || back) return;
        if (world.now - world.unit(a).came_up < 1min) return;
        back = world.now;
        world.faults.push_back({"sample", {Fault::unreachable, "the bus is down", {}}});
    };
    world.start();
    while (!world.told(EventKind::unit_verified)) world.step();
    ASSERT_TRUE(back);
    EXPECT_GE(world.now - *back, 2min);
}

TEST(RollOut, DoesNotRestartWhatHasAJobAlready) {
    RotationWorld world({a, b});
    world.faults.push_back({"restart " + a, {Fault::unreachable, "the bus died", {}}});
    // The job of the lost call is still in the queue; a minute later it is carried out.
    std::optional<BootTime> queued;
    world.before_action = [&](const std::string& action) {
        RotationWorld::Unit& unit = world.unit(a);
        if (action == "wait" && world.count("restart " + a) == 1 && !queued) {
            queued = world.now;
            unit.state.job_pending = true;
        }
        if (!queued || !unit.state.job_pending || world.now - *queued < 1min) return;
        unit.state.job_pending = false;
        unit.state.invocation = "by-the-queued-job";
        unit.readiness->connector_id = "by-the-queued-job";
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.count("restart " + a), 1U);
}

TEST(RollOut, ProvesAUnitAsItIsThatSomebodyRestartedAfterTheDelivery) {
    RotationWorld world({a, b});
    std::optional<BootTime> started;
    world.before_action = [&](const std::string& action) {
        const bool turn = action == "sample" && world.told(EventKind::batch_started);
        if (!turn || started) return;
        started = world.now;
        world.unit(a).state.invocation = "started-by-somebody";
        world.unit(a).token = world.file_token;
        world.unit(a).readiness->connector_id = "started-by-somebody";
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 0);
    EXPECT_EQ(world.unit(b).restarts, 1);
    const UnitProgress* proven = nullptr;
    for (const UnitProgress& unit : world.history.back().units) {
        if (unit.name == a) proven = &unit;
    }
    ASSERT_NE(proven, nullptr);
    EXPECT_EQ(proven->connector_after, "started-by-somebody");
    EXPECT_EQ(proven->invocation_after, "started-by-somebody");
    EXPECT_EQ(proven->verified_by, "systemd, ready, api");
}

TEST(RollOut, HoldsForAJobThatIsDoneWithADeadUnit) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::done_but_dead;
    expect_hold_and_retry(world, HoldReason::verification_failed, "inactive/dead");
}

TEST(RollOut, HoldsForAUnitThatFails) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::fails;
    expect_hold_and_retry(world, HoldReason::verification_failed, "failed/failed");
}

TEST(RollOut, HoldsForAUnitThatIsRefusedForEver) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::never_ready;
    expect_hold_and_retry(world, HoldReason::verification_failed, "activating/auto-restart");
}

TEST(RollOut, HoldsWhenAnOperatorsJobTakesOver) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::canceled;
    expect_hold_and_retry(world, HoldReason::operator_took_over, "replaced keyturnd's restart");
}

TEST(RollOut, HoldsWhenPolkitSaysNo) {
    RotationWorld world({a, b});
    world.faults.push_back({"restart " + a, {Fault::denied, "polkit does not allow it", {}}});
    expect_hold_and_retry(world, HoldReason::not_allowed, "polkit does not allow it");
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(RollOut, WaitsForAPolkitThatIsGone) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.polkit_gone = true;
    world.run(200);
    EXPECT_EQ(world.unit(a).restarts, 0);
    EXPECT_EQ(world.rotation->view().state, RotationState::waiting);
    EXPECT_THAT(world.rotation->view().reason, HasSubstr("polkit"));
    world.polkit_gone = false;
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    EXPECT_EQ(world.unit(a).restarts, 1);
    for (const EventKind kind : {EventKind::rotation_waiting, EventKind::rotation_continued})
        EXPECT_EQ(std::ranges::count(world.events, kind, &Event::kind), 1);
    EXPECT_EQ(std::ranges::count(world.events, EventKind::unit_restarting, &Event::kind), 2)
        << "one for each unit";
}

TEST(RollOut, WaitsForTheBusAndThenRestartsOnce) {
    RotationWorld world({a, b});
    world.faults.push_back({"restart " + a, {Fault::unreachable, "the bus is down", {}}});
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(RollOut, DoesNotRestartTwiceWhenOnlyTheReplyWasLost) {
    RotationWorld world({a, b});
    world.faults.push_back({"restart " + a, {Fault::unreachable, "the bus died", {}}, true});
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(RollOut, PassesOneConnectionLessAtTheDeadlineWithAWarning) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::one_short;
    const BootTime start = world.now;
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_GE(world.now - start, 2min);
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(RollOut, HoldsWhenTheApiNeverListsTheConnector) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::not_listed;
    expect_hold_and_retry(world, HoldReason::verification_failed,
                          "Cloudflare does not list its connector");
}

TEST(RollOut, GoesByTheUnitAloneWhenTheApiIsSilentForTheWholeDeadline) {
    // However the deadline lies between two questions to the API.
    for (const Milliseconds deadline : {30s + 0ms, 30s + 700ms, 31s + 0ms, 31s + 300ms}) {
        RotationWorld world({a, b});
        world.policy.rollout.healthy_deadline = deadline;
        world.before_action = [&](const std::string& action) {
            const bool verifying = world.unit(a).restarts == 1 && world.unit(b).restarts == 0;
            if (action == "list connectors" && verifying) {
                world.faults.push_back({"list connectors", {Fault::unreachable, "down", {}}});
            }
        };
        world.start();
        world.run();
        ASSERT_TRUE(world.done()) << deadline.count() << " ms";
        EXPECT_EQ(world.history.front().units.front().verified_by, "systemd, ready");
    }
}

TEST(RollOut, HoldsWhenAnOperatorStoppedTheNextUnit) {
    RotationWorld world({a, b, c});
    world.before_action = [&](const std::string& action) {
        if (action != "restart " + a) return;
        world.stop(world.unit(b));
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::operator_took_over);
    EXPECT_EQ(world.unit(b).restarts, 0);
    world.before_action = nullptr;
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done()) << "retry leaves it stopped";
    EXPECT_EQ(world.unit(b).restarts, 0);
    EXPECT_EQ(world.unit(c).restarts, 1);
}

TEST(RollOut, RestartsWhatDoesNotServeFirstWhenTooFewOthersDo) {
    RotationWorld world({a, b, c});
    world.policy.rollout.min_available = 2;
    world.before_action = [&](const std::string& action) {
        if (action != "save roll" || world.count("save roll") > 0) return;
        world.unit(c).readiness->serving = false;
        world.unit(c).readiness->connections = 0;
    };
    std::vector<std::string> restarted;
    const auto lose_connections = world.before_action;
    world.before_action = [&, lose_connections](const std::string& action) {
        lose_connections(action);
        if (action.starts_with("restart ")) restarted.push_back(action.substr(8));
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_THAT(restarted, testing::ElementsAre(c, a, b));
}

TEST(RollOut, RestartsAUnitThatWasLeftStoppedAndIsStartedMeanwhile) {
    RotationWorld world({a, b, c});
    UnitState& stopped = world.unit(c).state;
    stopped.active_state = "inactive";
    stopped.sub_state = "dead";
    stopped.main_pid = 0;
    const std::optional<Readiness> before = std::exchange(world.unit(c).readiness, std::nullopt);
    world.before_action = [&](const std::string& action) {
        if (action != "patch") return;  // With the old token, right before it is replaced.
        stopped.active_state = "active";
        stopped.sub_state = "running";
        stopped.main_pid = 4711;
        world.unit(c).readiness = before;
    };
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(c).restarts, 1);
    EXPECT_EQ(world.unit(c).token, RotationWorld::Token::ours);
}

TEST(RollOut, DoesNotRestartOnWhatWasSeenTooLongAgo) {
    RotationWorld world({a, b});
    bool stood_still = false;
    world.before_action = [&](const std::string& action) {
        if (action != "restart " + a || std::exchange(stood_still, true)) return;
        world.now += 10min;
        world.unit(b).readiness->serving = false;
        world.unit(b).readiness->connections = 0;
    };
    world.start();
    world.run();  // RotationWorld aborts when a is restarted although b does not serve.
    EXPECT_TRUE(stood_still);
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.count("restart " + b), 1U) << "it did not serve, so it was first";
}

TEST(RollOut, WaitsUntilEnoughOthersServe) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "save roll" && world.count("save roll") == 0) {
            UnitState& state = world.unit(b).state;
            state.active_state = state.sub_state = "failed";
            world.unit(b).readiness.reset();
        }
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::too_few_replicas);
    EXPECT_EQ(world.unit(a).restarts, 0);
}

TEST(Hold, RaisesTheAlarmAgainWhenItBecomesUrgent) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::fails;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    for (int i = 0; i < 10; ++i) world.step();
    EXPECT_FALSE(world.told(EventKind::hold_urgent)) << "b serves";
    world.unit(b).readiness->serving = false;
    for (int i = 0; i < 10; ++i) world.step();
    EXPECT_TRUE(world.told(EventKind::hold_urgent));
}

}  // namespace
}  // namespace keyturn
