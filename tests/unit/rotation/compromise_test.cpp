#include "fakes/crash_loop.hpp"
#include "unit/rotation/compromised_world.hpp"

#include <algorithm>

namespace keyturn {
namespace {

using Compromise = CompromisedTest;

TEST_F(Compromise, DropsTheOthersBeforeOurOwnAreRestarted) {
    rotate();
    expect_locked_out();
    EXPECT_THAT(deeds(), ElementsAre("patch", "deliver", "evict thief", "wipe old", "restart " + a,
                                     "restart " + b));
    const auto delivered = std::ranges::find(log, "deliver");
    const auto evicted = std::ranges::find(log, "evict thief");
    EXPECT_LT(std::find(delivered, log.end(), "list connectors"), evicted)
        << "only connectors of a list after the delivery are dropped";
    EXPECT_GE(fewest_serving, 1) << "our own units continue to serve";
}

TEST_F(Compromise, WaitsForNothingBetweenTheUnits) {
    add_unit(c);
    const BootTime begun = now;
    rotate();
    expect_locked_out();
    EXPECT_LT(now - begun, 1min + 20s);
    EXPECT_EQ(count("save soak"), 0U);
}

TEST_F(Compromise, IsToldWithTheTimeThatItTook) {
    rotate();
    EXPECT_THAT(message(EventKind::connector_evicted),
                HasSubstr("connector thief from 198.51.100.7"));
    const Event* end = last(EventKind::locked_out);
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(end->result, "done");
    EXPECT_THAT(end->message, AllOf(HasSubstr("only connectors of the units of web, "),
                                    HasSubstr("after the rotation started"),
                                    Not(HasSubstr("none of them was connected"))));
    const LockOut& lock_out = rotation->view().lock_out;
    EXPECT_THAT(lock_out.evicted, ElementsAre(HasSubstr("connector thief from 198.51.100.7")));
    EXPECT_TRUE(lock_out.after.has_value());
    EXPECT_FALSE(lock_out.outage.has_value());
    EXPECT_THAT(message(EventKind::rotation_done), HasSubstr("after the rotation started"));
    EXPECT_THAT(message(EventKind::rotation_started), HasSubstr("Replacing the compromised token"));
}

TEST_F(Compromise, TellsNoTimeFromAClockThatWasSetBack) {
    ASSERT_TRUE(rotate_until("evict thief"));
    wall_now -= 24h;
    run();
    expect_locked_out();
    EXPECT_THAT(message(EventKind::locked_out), Not(HasSubstr("after the rotation started")));
}

TEST_F(Compromise, DropsEverybodyAndRestartsAllAtOnceWhereAskedFor) {
    add_unit(c);
    request.evict_all = true;
    rotate();
    expect_locked_out();
    EXPECT_THAT(deeds(), ElementsAre("patch", "deliver", "evict all", "wipe old", "restart " + a,
                                     "restart " + b, "restart " + c));
    EXPECT_EQ(when("restart " + a), when("restart " + c)) << "no restart waits for another";
    EXPECT_THAT(message(EventKind::connector_evicted),
                HasSubstr("including those of its own units"));
    EXPECT_THAT(message(EventKind::locked_out), HasSubstr("; none of them was connected for "));
}

TEST_F(Compromise, RestartsNoUnitThatIsStoppedWithAllOthers) {
    add_unit(c);
    request.evict_all = true;
    ASSERT_TRUE(rotate_until("evict all"));
    unit(c).stop();
    run();
    ASSERT_EQ(held_for(), HoldReason::operator_took_over);
    EXPECT_EQ(restarts(c), 0);
    retry();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(c), 0);
}

TEST_F(Compromise, LooksAtNoUnitThatIsAtRestOrUnknown) {
    add_unit(c);
    unit(b).fail();
    unit(c).state.load_state = "not-found";
    unit(c).state.active_state = "unknown";
    unit(c).readiness.reset();
    request.accept_gap = true;
    rotate();
    EXPECT_TRUE(done());
    EXPECT_FALSE(told(EventKind::drift_unknown));
    EXPECT_TRUE(foreign_connectors.empty());
    EXPECT_EQ(unit(a).token, Token::ours);
    EXPECT_EQ(restarts(b) + restarts(c), 0) << "they did not run";
}

TEST_F(Compromise, IsRefusedByNothingThatAPreflightRefuses) {
    request.scheduled = true;
    unit(a).problem = "it takes its token from its command line";
    unit(b).readiness->connections = 0;
    rotate();
    expect_locked_out();
    EXPECT_EQ(count("inspect tunnel"), 0U);
}

TEST_F(Compromise, LocksOutBeforeItIsKnownWhetherPolkitAllowsTheRestarts) {
    for (const bool refused : {true, false}) {
        CompromisedWorld world;
        world.unit(a).refused = refused;
        world.polkit_gone = !refused;
        ASSERT_TRUE(world.rotate_until("restart " + a));
        EXPECT_THAT(world.deeds(), ElementsAre("patch", "deliver", "evict thief", "wipe old"));
        world.run(200);
        EXPECT_EQ(world.held(), refused);
        world.unit(a).refused = world.polkit_gone = false;
        if (refused) world.retry();
        world.run();
        world.expect_locked_out();
    }
}

TEST_F(Compromise, IgnoresAPause) {
    paused = true;
    rotate();
    expect_locked_out();
    EXPECT_FALSE(told(EventKind::rotation_paused));
}

TEST_F(Compromise, GoesOnTryingWhereARotationWouldRefuse) {
    for (const char* action : {"check files", "inspect units", "list connectors", "prepare",
                               "prepare", "prepare", "prepare", "patch"}) {
        fail_next(action, no_answer);
    }
    rotate();
    expect_locked_out();
    EXPECT_EQ(secrets_made, 1);
}

TEST_F(Compromise, IsHeldAndNotRefusedWhereCloudflareTakesNoSecret) {
    fail_next("patch", {Fault::denied, "the API token lacks Write", {}});
    rotate();
    ASSERT_EQ(held_for(), HoldReason::denied);
    EXPECT_TRUE(pending_kept);
    retry();
    expect_locked_out();
    EXPECT_EQ(secrets_made, 1);
}

TEST_F(Compromise, IsNoTimeToGoBack) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::fails;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::verification_failed);
    EXPECT_FALSE(rotation->can_revert());
    EXPECT_EQ(count("take back"), 0U);
    unit(a).fate = Fate::comes_up;
    retry();
    expect_locked_out();
}

/// A compromise replaces an open rotation, whose secret Cloudflare may hold already.
CompromisedWorld superseding(std::size_t actions) {
    CompromisedWorld world;
    world.add_unit(c);
    world.be_quick();
    world.request.kind = RotationKind::routine;
    world.foreign_connectors.clear();
    world.start();
    world.steps(actions);
    world.superseded = world.pending_kept ? world.kept_rotation : "";
    world.disk_record.reset();
    world.request.kind = RotationKind::compromise;
    world.foreign_connectors = {thief};
    world.start();
    return world;
}

TEST_F(Compromise, PutsAnEndToAnOpenRotationWithAnotherSecret) {
    at_each(points(1, 100, 3), [](std::size_t actions) {
        CompromisedWorld world = superseding(actions);
        const int before = world.secrets_made;
        world.run();
        world.expect_locked_out();
        EXPECT_EQ(world.secrets_made, before + 1);
        EXPECT_NE(world.history.front().rotation_id, world.superseded);
        EXPECT_GE(world.fewest_serving, 1);
    });
}

TEST_F(Compromise, MakesOneSecretOnlyWhereverACrashComesAfterAnOpenRotation) {
    CompromisedWorld whole = superseding(60);
    const int made_before = whole.secrets_made;
    after_every_action(std::move(whole), [&](CompromisedWorld& world) {
        world.crash_and_restart();
        world.run();
        world.expect_locked_out();
        EXPECT_EQ(world.secrets_made, made_before + 1);
    });
}

TEST_F(Compromise, IsFinishedWhereverACrashComes) {
    for (const bool all : {false, true}) {
        CompromisedWorld whole;
        whole.request.evict_all = all;
        whole.start();
        after_every_action(std::move(whole), [](CompromisedWorld& world) {
            world.crash_and_restart();
            world.run();
            EXPECT_TRUE(world.done());
            EXPECT_TRUE(world.foreign_connectors.empty());
            EXPECT_EQ(world.secrets_made, 1);
            EXPECT_EQ(world.patches, 1);
            for (const std::string& unit : {a, b}) EXPECT_EQ(world.restarts(unit), 1);
        });
    }
}

}  // namespace
}  // namespace keyturn
