#include "unit/rotation/compromised_world.hpp"

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

TEST(Compromise, DropsTheOthersBeforeOurOwnAreRestarted) {
    CompromisedWorld world;
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_THAT(world.deeds(), ElementsAre("patch", "deliver", "evict thief", "wipe old",
                                           "restart " + a, "restart " + b));
    const auto at = [&](const std::string& name, std::size_t from = 0) {
        const auto begin = world.log.begin() + static_cast<std::ptrdiff_t>(from);
        return static_cast<std::size_t>(std::find(begin, world.log.end(), name) -
                                        world.log.begin());
    };
    const std::size_t delivered = at("deliver");
    const std::size_t listed = at("list connectors", delivered);
    EXPECT_LT(listed, at("evict thief")) << "whom the list after the delivery names";
    EXPECT_GE(world.fewest_serving, 1) << "ours go on serving";
}

TEST(Compromise, WaitsForNothingBetweenTheUnits) {
    CompromisedWorld world({a, b, c});
    const BootTime start = world.now;
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_LT(world.now - start, 1min + 20s);
    EXPECT_EQ(world.count("save soak"), 0U);
}

TEST(Compromise, IsToldWithTheTimeThatItTook) {
    CompromisedWorld world;
    world.start();
    world.run();
    const Event* evicted = world.last(EventKind::connector_evicted);
    ASSERT_NE(evicted, nullptr);
    EXPECT_THAT(evicted->message, HasSubstr("connector thief from 198.51.100.7"));
    const Event* end = world.last(EventKind::locked_out);
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(end->result, "done");
    EXPECT_THAT(end->message,
                AllOf(HasSubstr("only connectors of the units of web, "),
                      HasSubstr("after the alarm"), Not(HasSubstr("none of them was connected"))));
    const LockOut& lock_out = world.rotation->view().lock_out;
    EXPECT_THAT(lock_out.evicted, ElementsAre(HasSubstr("connector thief from 198.51.100.7")));
    EXPECT_TRUE(lock_out.after.has_value());
    EXPECT_FALSE(lock_out.outage.has_value());
    EXPECT_THAT(world.last(EventKind::rotation_done)->message, HasSubstr("after the alarm"));
    EXPECT_THAT(world.last(EventKind::rotation_started)->message,
                HasSubstr("Replacing the compromised token"));
}

TEST(Compromise, TellsNoTimeFromAClockThatWasSetBack) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("evict thief"));
    world.wall_now -= 24h;
    world.run();
    expect_locked_out(world);
    EXPECT_THAT(world.last(EventKind::locked_out)->message, Not(HasSubstr("after the alarm")));
}

TEST(Compromise, DropsEverybodyAndRestartsAllAtOnceWhereAskedFor) {
    CompromisedWorld world({a, b, c});
    world.request.evict_all = true;
    std::vector<BootTime> restarts;
    world.before_action = [&](const std::string& action) {
        if (action.starts_with("restart ")) restarts.push_back(world.now);
    };
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_THAT(world.deeds(), ElementsAre("patch", "deliver", "evict all", "wipe old",
                                           "restart " + a, "restart " + b, "restart " + c));
    EXPECT_EQ(restarts.front(), restarts.back()) << "none waits for the other";
    EXPECT_THAT(world.last(EventKind::connector_evicted)->message,
                HasSubstr("including those of its own units"));
    EXPECT_THAT(world.last(EventKind::locked_out)->message,
                HasSubstr("; none of them was connected for "));
}

TEST(Compromise, RestartsNoUnitThatIsStoppedWithAllOthers) {
    CompromisedWorld world({a, b, c});
    world.request.evict_all = true;
    world.start();
    ASSERT_TRUE(world.run_until("evict all"));
    world.stop(world.unit(c));
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::operator_took_over);
    EXPECT_EQ(world.unit(c).restarts, 0);
    world.retry_and_run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(c).restarts, 0);
}

TEST(Compromise, LooksAtNoUnitThatIsAtRestOrUnknown) {
    CompromisedWorld world({a, b, c});
    world.unit(b).state.active_state = world.unit(b).state.sub_state = "failed";
    world.unit(b).readiness.reset();
    world.unit(c).state.load_state = "not-found";
    world.unit(c).state.active_state = "unknown";
    world.unit(c).readiness.reset();
    world.request.accept_gap = true;
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::drift_unknown));
    EXPECT_TRUE(world.foreign_connectors.empty());
    EXPECT_EQ(world.unit(a).token, Token::ours);
    EXPECT_EQ(world.unit(b).restarts + world.unit(c).restarts, 0) << "they did not run";
}

TEST(Compromise, IsRefusedByNothingThatAPreflightRefuses) {
    CompromisedWorld world;
    world.request.scheduled = true;
    world.unit(a).problem = "it takes its token from its command line";
    world.unit(b).readiness->connections = 0;
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.count("inspect tunnel"), 0U);
}

TEST(Compromise, LocksOutBeforeItIsKnownWhetherPolkitAllowsTheRestarts) {
    for (const bool refused : {true, false}) {
        CompromisedWorld world;
        world.unit(a).refused = refused;
        world.polkit_gone = !refused;
        world.start();
        ASSERT_TRUE(world.run_until("restart " + a));
        EXPECT_THAT(world.deeds(), ElementsAre("patch", "deliver", "evict thief", "wipe old"));
        world.run(200);
        EXPECT_EQ(world.held(), refused);
        world.unit(a).refused = world.polkit_gone = false;
        if (refused) world.retry_and_run();
        world.run();
        expect_locked_out(world);
    }
}

TEST(Compromise, IgnoresAPause) {
    CompromisedWorld world;
    world.paused = true;
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_FALSE(world.told(EventKind::rotation_paused));
}

TEST(Compromise, GoesOnTryingWhereARotationWouldRefuse) {
    CompromisedWorld world;
    for (const char* action : {"check files", "inspect units", "list connectors", "prepare",
                               "prepare", "prepare", "prepare", "patch"}) {
        world.faults.push_back({action, {Fault::unreachable, "no answer", {}}});
    }
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Compromise, IsHeldAndNotRefusedWhereCloudflareTakesNoSecret) {
    CompromisedWorld world;
    world.faults.push_back({"patch", {Fault::denied, "the API token lacks Write", {}}});
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::denied);
    EXPECT_TRUE(world.pending_kept);
    world.retry_and_run();
    expect_locked_out(world);
    EXPECT_EQ(world.secrets_made, 1);
}

TEST(Compromise, IsNoTimeToGoBack) {
    CompromisedWorld world;
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = Fate::fails;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::verification_failed);
    EXPECT_FALSE(world.rotation->can_revert());
    EXPECT_EQ(world.count("take back"), 0U);
    world.unit(a).fate = Fate::comes_up;
    world.retry_and_run();
    expect_locked_out(world);
}

/// An open rotation, whose secret Cloudflare may hold by now, is given up for another new secret.
CompromisedWorld superseding(std::size_t actions) {
    CompromisedWorld world({a, b, c});
    world.policy.rollout.soak = 4s;
    world.policy.rollout.min_healthy_time = 1s;
    world.request.kind = RotationKind::routine;
    world.foreign_connectors.clear();
    world.start();
    for (std::size_t i = 0; i < actions; ++i) world.step();
    world.superseded = world.pending_kept ? world.kept_rotation : "";
    world.disk_record.reset();
    world.request.kind = RotationKind::compromise;
    world.foreign_connectors = {thief};
    world.start();
    return world;
}

TEST(Compromise, PutsAnEndToAnOpenRotationWithAnotherSecret) {
    for (std::size_t n = 1; n < 100; n += 3) {
        SCOPED_TRACE(n);
        CompromisedWorld world = superseding(n);
        const int before = world.secrets_made;
        world.run();
        expect_locked_out(world);
        EXPECT_EQ(world.secrets_made, before + 1);
        EXPECT_NE(world.history.front().rotation_id, world.superseded);
        EXPECT_GE(world.fewest_serving, 1);
        if (HasFailure()) return;
    }
}

TEST(Compromise, MakesOneSecretOnlyWhereverACrashComesAfterAnOpenRotation) {
    for (std::size_t n = 1; n < 100; ++n) {
        SCOPED_TRACE(n);
        CompromisedWorld world = superseding(60);
        const int before = world.secrets_made;
        for (std::size_t i = 0; i < n; ++i) world.step();
        if (!world.disk_record) continue;
        world.crash_and_restart();
        world.run();
        expect_locked_out(world);
        EXPECT_EQ(world.secrets_made, before + 1);
        if (HasFailure()) return;
    }
}

std::size_t actions_of_a_compromise(bool evict_all) {
    CompromisedWorld world;
    world.request.evict_all = evict_all;
    world.start();
    world.run();
    return world.log.size();
}

TEST(Compromise, IsFinishedWhereverACrashComes) {
    for (const bool evict_all : {false, true}) {
        const std::size_t actions = actions_of_a_compromise(evict_all);
        for (std::size_t n = 1; n < actions; ++n) {
            SCOPED_TRACE(testing::Message() << (evict_all ? "all dropped, " : "") << n);
            CompromisedWorld world;
            world.request.evict_all = evict_all;
            world.start();
            for (std::size_t i = 0; i < n; ++i) world.step();
            if (!world.disk_record) continue;
            world.crash_and_restart();
            world.run();
            EXPECT_TRUE(world.done());
            EXPECT_TRUE(world.foreign_connectors.empty());
            EXPECT_EQ(world.secrets_made, 1);
            EXPECT_EQ(world.patches, 1);
            for (const std::string& unit : {a, b}) EXPECT_EQ(world.unit(unit).restarts, 1);
            if (HasFailure()) return;
        }
    }
}

}  // namespace
}  // namespace keyturn
