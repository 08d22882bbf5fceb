#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

using Soak = RotationTest;
class AdaptiveSoak : public RotationTest {
  protected:
    AdaptiveSoak() { policy.rollout.soak_min = 30s; }

    /// From the start of the first soak to the restart of the second unit.
    Milliseconds length() {
        run();
        EXPECT_TRUE(done());
        return when("restart " + b) - when("save soak");
    }
};

TEST_F(Soak, KeepsTheSecondBatchAwayForItsWholeLength) {
    rotate();
    ASSERT_TRUE(done());
    EXPECT_THAT(when("restart " + b) - when("save soak"), AllOf(Ge(10min), Lt(11min)));
    EXPECT_EQ(count("save soak"), 1U) << "no soak after the last batch";
}

TEST_F(Soak, HoldsWhenARestartedUnitDies) {
    unit(a).fate = Fate::dies_later;
    rotate();
    ASSERT_TRUE(held());
    EXPECT_THAT(hold().text, HasSubstr("was verified and then failed"));
    EXPECT_EQ(restarts(b), 0);
}

TEST_F(Soak, ProvesAUnitAgainWhoseProcessWasReplaced) {
    const BootTime begun = now;
    soak_for(5min);
    unit(a).replace_process("rebooted");
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
    EXPECT_GE(when("restart " + b) - begun, 15min) << "the soak began anew";
    EXPECT_EQ(history.front().units.front().connector_after, "rebooted");
}

TEST_F(Soak, HoldsForAUnitThatKeepsBeingReplaced) {
    before("save soak", [&, generation = 0]() mutable {
        unit(a).replace_process("generation-" + std::to_string(++generation));
    });
    rotate();
    ASSERT_TRUE(held());
    EXPECT_THAT(hold().text, HasSubstr("keeps being restarted"));
    leave_alone();
    retry();
    EXPECT_TRUE(done()) << "retry can leave the hold";
}

TEST_F(Soak, IsLeftByRetryAfterAVerifiedUnitWasMended) {
    unit(a).fate = Fate::dies_later;
    rotate();
    ASSERT_TRUE(held());
    unit(a).fate = Fate::comes_up;
    retry();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 2);
}

TEST_F(Soak, OfAnEarlierBatchIsMadeUpForAlsoWhereACrashComesRightAfterItsUnit) {
    add_unit(c);
    policy.rollout.batches = 3;
    ASSERT_TRUE(rotate_until("restart " + c));
    // What a retry leaves: the unit of the first batch was verified, failed, and restarts again.
    crash_and_restart();
    UnitProgress& first = disk_record->units[0];
    first.step = UnitStep::restarting;
    first.invocation_before = first.invocation_old = unit(a).state.invocation;
    disk_record->units[2].step = UnitStep::waiting;
    crash_and_restart();
    ASSERT_TRUE(run_until([&] { return disk_record->units[0].step == UnitStep::verified; }));
    const BootTime verified = now;
    crash_and_restart();
    ASSERT_TRUE(run_until("restart " + c));
    EXPECT_GE(now - verified, policy.rollout.soak);
}

TEST_F(Soak, NoticesAForeignRotationBeforeTheNextBatch) {
    soak_for(5min);
    api_token = Token::foreign;
    run();  // RotationWorld aborts on a restart with a token that the API does not hold.
    ASSERT_TRUE(done());
    EXPECT_TRUE(told(EventKind::foreign_rotation));
    EXPECT_EQ(restarts(a), 2) << "on ours, then on theirs";
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Soak, NoticesAForeignRotationWithinAMinute) {
    soak_for(90s);
    const BootTime changed = now;
    api_token = Token::foreign;
    ASSERT_TRUE(run_until(EventKind::foreign_rotation));
    EXPECT_LE(now - changed, 65s);
    run();
    EXPECT_TRUE(done());
}

TEST_F(Soak, NoticesAForeignRotationAtTheFirstLostConnection) {
    soak_for(90s);
    const BootTime changed = now;
    api_token = Token::foreign;
    unit(b).readiness->connections = 3;
    ASSERT_TRUE(run_until(EventKind::foreign_rotation));
    EXPECT_LE(now - changed, 15s);
}

TEST_F(Soak, AsksCloudflareOnceAMinuteWhereNothingHappens) {
    ASSERT_TRUE(rotate_until("save soak"));
    const std::size_t asked_before = count("read token");
    ASSERT_TRUE(run_until("restart " + b));
    EXPECT_LE(count("read token") - asked_before, 12U) << "in ten minutes";
}

TEST_F(Soak, PromotesAUnitThatLostAllConnectionsAtOnce) {
    soak_for(1min);
    const BootTime disturbed = now;
    unit(b).readiness->connections = 0;
    ASSERT_TRUE(run_until("restart " + b));
    EXPECT_LE(now - disturbed, 10s);
    run();
    EXPECT_TRUE(done());
}

TEST_F(Soak, PromotesNobodyWhileTheNetworkIsDown) {
    soak_for(1min);
    const BootTime down = now;
    before_each([&](const std::string&) {
        for (auto& [name, unit] : units) unit.readiness->connections = now < down + 25s ? 0 : full;
    });
    ASSERT_TRUE(run_until("restart " + b));
    EXPECT_GE(now - down, 10min) << "after a soak that began anew";
    EXPECT_FALSE(told(EventKind::replica_promoted));
}

TEST_F(Soak, ProvesAWaitingUnitAsItIsThatCameBackWithTheNewToken) {
    soak_for(1min);
    unit(b).come_up("brought-back-by-systemd", file_token, 1);
    ASSERT_TRUE(run_until(EventKind::replica_promoted));
    unit(b).readiness->connections = full;
    run();
    ASSERT_TRUE(done());
    EXPECT_FALSE(told(EventKind::replica_decaying)) << "it gets them back without a restart";
    EXPECT_EQ(restarts(b), 0);
    EXPECT_EQ(history.front().units.back().connector_after, "brought-back-by-systemd");
}

TEST_F(Soak, TellsWhoIsNextOnceNobodyHasToBeProvenBefore) {
    soak_for(1min);
    unit(a).replace_process("rebooted");
    unit(b).come_up("brought-back-by-systemd", file_token);
    run();
    ASSERT_TRUE(done());
    std::vector<EventKind> order_told;
    for (const Event& event : events) {
        const bool of_both =
            event.kind == EventKind::replica_promoted || event.kind == EventKind::unit_verified;
        if (of_both) order_told.push_back(event.kind);
    }
    EXPECT_THAT(order_told, ElementsAre(EventKind::unit_verified, EventKind::unit_verified,
                                        EventKind::replica_promoted, EventKind::unit_verified));
}

TEST_F(Soak, PassesNoTimeInWhichNobodyLooked) {
    const BootTime begun = now;
    soak_for(1min);
    now += 8h;
    run();
    ASSERT_TRUE(done());
    EXPECT_GE(now - begun, 8h + 10min);
}

TEST_F(Soak, BeginsAnewAfterAShortLackOfConnections) {
    soak_for(5min);
    const BootTime disturbed = now;
    unit(a).readiness->connections = 1;  // The world restores it at the next wait.
    run();
    ASSERT_TRUE(done());
    EXPECT_TRUE(told(EventKind::soak_restarted));
    EXPECT_GE(when("restart " + b) - disturbed, 10min);
}

TEST_F(Soak, BeginsAnewAfterTheBusWasDown) {
    soak_for(5min);
    fail_next("sample", no_answer);
    run();
    EXPECT_TRUE(done());
    EXPECT_TRUE(told(EventKind::soak_restarted));
}

TEST_F(Soak, TellsThatAWaitingUnitDecays) {
    soak_for(1min);
    unit(b).readiness->connections = 3;
    run();
    ASSERT_TRUE(done());
    EXPECT_THAT(message(EventKind::replica_decaying), HasSubstr("3 of 4"));
    EXPECT_FALSE(told(EventKind::replica_promoted));
}

TEST_F(Soak, PromotesAWaitingUnitThatLostHalfAndSoaksAnew) {
    add_unit(c);
    soak_for(1min);
    unit(c).readiness->connections = 2;
    run();
    ASSERT_TRUE(done());
    EXPECT_THAT(restarted(), ElementsAre(a, c, b));
    EXPECT_TRUE(told(EventKind::replica_promoted));
    EXPECT_EQ(count("save soak"), 2U);
}

TEST_F(AdaptiveSoak, EndsAsSoonAsAllIsBack) {
    start();
    EXPECT_THAT(length(), AllOf(Ge(30s), Lt(40s)));
    EXPECT_THAT(message(EventKind::soak_started), HasSubstr("soaking for 30s to 10m"));
    EXPECT_THAT(message(EventKind::soak_ended), HasSubstr("was healthy for 30s"));
}

TEST_F(AdaptiveSoak, IsNoLongerThanTheLongest) {
    policy.rollout.soak = 20s;
    policy.rollout.soak_min = 5min;
    start();
    EXPECT_LT(length(), 30s);
    EXPECT_THAT(message(EventKind::soak_started), HasSubstr("soaking for 20s"));
}

TEST_F(AdaptiveSoak, LastsItsWholeLengthWhereAConnectionIsMissing) {
    unit(a).fate = Fate::one_short;
    start();
    EXPECT_GE(length(), 10min);
}

TEST_F(AdaptiveSoak, LastsItsWholeLengthWhereTheApiDoesNotAnswer) {
    before("list connectors", [&] {
        if (disk_record && disk_record->phase == Phase::soak)
            fail_next("list connectors", no_answer);
    });
    start();
    EXPECT_GE(length(), 10min);
}

TEST_F(AdaptiveSoak, LastsItsWholeLengthWhereTheApiDoesNotListTheNewConnector) {
    before_each([&](const std::string&) {
        const bool soaking = disk_record && disk_record->phase == Phase::soak;
        unit(a).fate = soaking ? Fate::not_listed : Fate::comes_up;
    });
    start();
    EXPECT_GE(length(), 10min);
}

TEST_F(AdaptiveSoak, BeginsItsShortestLengthAnewAfterADisturbance) {
    soak_for(20s);
    unit(a).readiness->connections = 1;
    EXPECT_THAT(length(), AllOf(Ge(50s), Lt(1min + 10s)));
}

}  // namespace
}  // namespace keyturn
