// "Could not ask" is never "zero": if a unit cannot be asked, keyturnd waits and does nothing else.

#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

class Unknown : public RotationTest {
  protected:
    /// For this long these units cannot be asked.
    void be_blind(const std::vector<std::string>& names, Milliseconds time) {
        for (const std::string& name : names) unit(name).silent = reason_;
        ASSERT_TRUE(run_for(time));
        for (const std::string& name : names) unit(name).silent.clear();
    }

    const std::string reason_ = "no file descriptor is left";
};

TEST_F(Unknown, WaitingUnitOfASoakIsNeitherDecayingNorPromoted) {
    soak_for(1min);
    be_blind({b}, 5min);
    run();
    EXPECT_TRUE(done());
    EXPECT_FALSE(told(EventKind::replica_decaying));
    EXPECT_FALSE(told(EventKind::replica_promoted));
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_EQ(count("save soak"), 1U);
}

TEST_F(Unknown, RestartedUnitOfASoakHasNotFailedAndIsWaitedForByItsReason) {
    soak_for(1min);
    be_blind({a}, 5min);
    run();
    EXPECT_TRUE(done());
    EXPECT_GE(when("restart " + b) - when("save soak"), 15min + 50s)
        << "the soak began anew once it could be asked";
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_FALSE(told(EventKind::hold_urgent));
    EXPECT_THAT(message(EventKind::rotation_waiting),
                HasSubstr(a + ": cannot ask /ready: " + reason_));
}

TEST_F(Unknown, IsNoPermissionToStopAUnitAndNoReasonToHold) {
    policy.rollout.soak = 20s;
    ASSERT_TRUE(rotate_until("save soak"));
    be_blind({a, b}, 30min);
    EXPECT_EQ(restarts(b), 0);
    run();
    EXPECT_TRUE(done());
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Unknown, ReplicasAreWaitedForBeyondTheDeadlineForProgress) {
    policy.rollout.soak = 1s;
    policy.rollout.progress_deadline = 10min;
    ASSERT_TRUE(rotate_until("save soak"));
    ASSERT_TRUE(run_until("save roll"));
    be_blind({a}, 1h);
    run();
    EXPECT_TRUE(done());
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_THAT(message(EventKind::rotation_waiting),
                AllOf(HasSubstr("cannot tell whether enough others serve"),
                      HasSubstr("cannot ask /ready: " + reason_)));
}

TEST_F(Unknown, IsNoShortageOfReplicasWhileARotationIsHeld) {
    add_unit(c);
    unit(a).fate = Fate::fails;
    policy.rollout.min_available = 2;
    rotate();
    ASSERT_TRUE(held());
    unit(b).silent = reason_;
    steps(20);
    EXPECT_FALSE(told(EventKind::hold_urgent)) << "one serves, and two might";
    unit(b).silent.clear();
    unit(b).readiness->connections = 0;
    steps(20);
    EXPECT_TRUE(told(EventKind::hold_urgent));
}

TEST_F(Unknown, SurgeIsNotStartedOverTheOneThatMayServe) {
    leave_one_unit();
    add_surge();
    start();
    ASSERT_TRUE(run_until(EventKind::unit_verified));
    be_blind({extra}, 30min);
    EXPECT_THAT(restarted(), ElementsAre(extra));
    run();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(extra), 1);
}

/// The host was suspended while unit c lacked two connections, which come back soon after.
TEST_F(Unknown, TimeInWhichNobodyLookedPromotesNobody) {
    add_unit(c);
    soak_for(1min);
    unit(c).readiness->connections = 2;
    ASSERT_TRUE(run_past("wait"));
    now += 8h;
    ASSERT_TRUE(run_for(10s));
    unit(c).readiness->connections = full;
    run();
    EXPECT_TRUE(done());
    EXPECT_TRUE(told(EventKind::replica_decaying));
    EXPECT_FALSE(told(EventKind::replica_promoted));
}

}  // namespace
}  // namespace keyturn
