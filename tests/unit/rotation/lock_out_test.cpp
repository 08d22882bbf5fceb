#include "unit/rotation/compromised_world.hpp"

#include <gmock/gmock.h>

#include <utility>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Fate = RotationWorld::Fate;
using Token = RotationWorld::Token;

/// Its process is the one that told its connector a moment ago.
TEST(LockOut, IsNotConfusedByAMomentOfSilence) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.foreign_connectors = {neighbour};
    int looks = 0;
    int dropped_after = 0;
    world.before_action = [&](const std::string& action) {
        if (action == "evict neighbour") dropped_after = looks;
        if (action == "sample") ++looks;
        world.unit(a).silent = looks == 1 ? "no file descriptor is left" : "";
    };
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(dropped_after, 1);
}

/// A unit of ours loses a connection between the list and the look at it, while somebody else is
/// doubtful for long enough.
TEST(LockOut, DropsNobodyForAListThatIsOlderThanTheLook) {
    CompromisedWorld world;
    world.unit(a).readiness->connections = 3;  // As many as it had at first.
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.foreign_connectors = {neighbour};
    world.unit(b).state.invocation = "rebooted";
    world.unit(b).readiness->connector_id = "rebooted";
    const BootTime begun = world.now;
    int looks = 0;
    world.before_action = [&](const std::string& action) {
        world.unit(b).silent = world.now - begun < 15s ? "no file descriptor is left" : "";
        if (world.now - begun > 15s) return;
        const bool lost = action == "sample" && ++looks % 2 == 0;
        world.unit(a).readiness->connections = lost ? 3 : 4;
    };
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.count("evict neighbour"), 1U);
    EXPECT_EQ(world.count("evict " + world.unit(a).readiness->connector_id), 0U);
}

TEST(LockOut, EndsAlsoWhereAUnitNeverTellsItsConnector) {
    CompromisedWorld world;
    world.unit(b).silent = "it has a network namespace of its own";
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.foreign_connectors = {neighbour};
    world.run();
    expect_locked_out(world);
    const UnitProgress& silent = world.history.front().units.back();
    EXPECT_EQ(silent.name, b);
    EXPECT_EQ(silent.verified_by, "systemd");
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(LockOut, SendsOurSecretAgainOverSomebodyElses) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("deliver"));
    world.step();
    world.api_token = Token::foreign;
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.patches, 2);
    EXPECT_EQ(world.secrets_made, 1) << "the same one";
}

TEST(LockOut, SendsOurSecretAgainWhereThePatchWasLostAndSomebodyElseCameIn) {
    CompromisedWorld world;
    world.faults.push_back({"patch", {Fault::ambiguous, "the answer was lost", {}}});
    world.start();
    ASSERT_TRUE(world.run_until("patch"));
    world.step();
    world.api_token = Token::foreign;
    world.run();
    expect_locked_out(world);
}

TEST(LockOut, SendsOurSecretAgainInTheMiddleOfTheRestarts) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("restart " + b));
    world.step();
    world.before_action = [&, once = true](const std::string& action) mutable {
        if (action == "read token" && std::exchange(once, false)) world.api_token = Token::foreign;
    };
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.patches, 2);
}

/// It is behind, or somebody puts the old secret back: once sent again, it is given its time.
TEST(LockOut, SendsOurSecretAgainOnceWhereTheOldTokenIsShown) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("deliver"));
    world.token_shown = Token::old;
    const BootTime since = world.now;
    world.before_action = [&](const std::string& action) {
        if (action == "read token" && world.now - since > 60s) world.token_shown.reset();
    };
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.patches, 2);
}

/// The record is back from a backup: since then the tunnel and its units had another token.
TEST(LockOut, RestartsEveryUnitAgainWhereTheRecordIsAnOlderOne) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.step();
    world.api_token = Token::foreign;
    world.file_token = Token::foreign;
    for (auto& [name, unit] : world.units) {
        unit.token = Token::foreign;
        unit.state.invocation = "of-a-later-rotation-" + name;
        unit.readiness->connector_id = unit.state.invocation;
    }
    world.crash_and_restart();
    world.run();
    expect_locked_out(world);
}

TEST(LockOut, DropsNobodyByAnOlderRecordOfItsEnd) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.step();
    world.api_token = Token::foreign;  // Of the rotation that came after that backup.
    world.unit(b).silent = "its metrics server does not answer";
    world.foreign_connectors = {neighbour};
    world.crash_and_restart();
    world.before_action = [&](const std::string& action) {
        const bool evicts = action.starts_with("evict");
        EXPECT_TRUE(!evicts || world.api_token == Token::ours) << action;
    };
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.patches, 2);
}

TEST(LockOut, IsHeldWhereSomebodyIsStrongerThanWe) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("deliver"));
    world.before_action = [&](const std::string& action) {
        if (action == "read token") world.api_token = Token::foreign;
    };
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::foreign_rotation);
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("remove their access"));
    EXPECT_EQ(world.patches, 4);
    EXPECT_EQ(world.unit(a).restarts, 0);
    EXPECT_EQ(world.count("adopt"), 0U);
    world.before_action = nullptr;
    world.retry_and_run();
    expect_locked_out(world);
}

TEST(LockOut, IsHeldWhereSomebodyStaysAttached) {
    CompromisedWorld world;
    world.foreign_come_back = true;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::not_locked_out);
    EXPECT_EQ(world.disk_record->hold->unit, "");
    EXPECT_FALSE(world.told(EventKind::locked_out));
    EXPECT_GT(world.count("evict thief"), 10U) << "it is dropped each time it is seen";
    world.foreign_come_back = false;
    world.retry_and_run();
    expect_locked_out(world);
}

TEST(LockOut, IsHeldWhereCloudflareDoesNotListOneOfOurs) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.unit(b).fate = Fate::not_listed;
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::not_locked_out);
    EXPECT_EQ(world.disk_record->hold->unit, b);
    world.unit(b).fate = Fate::comes_up;
    world.retry_and_run();
    expect_locked_out(world);
}

TEST(LockOut, GivesCloudflareItsTimeAgainAfterAnOutage) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.unit(b).fate = Fate::not_listed;
    for (int i = 0; i < 12; ++i)
        world.faults.push_back({"list connectors", {Fault::unreachable, "no answer", {}}});
    for (int i = 0; i < 80; ++i) world.step();
    EXPECT_FALSE(world.held());
    world.unit(b).fate = Fate::comes_up;
    world.run();
    expect_locked_out(world);
}

TEST(LockOut, ProvesAUnitAgainWhoseProcessWasReplaced) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.unit(b).state.invocation = "rebooted";
    world.unit(b).readiness->connector_id = "rebooted";
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.history.front().units.back().connector_after, "rebooted");
    EXPECT_TRUE(world.told(EventKind::soak_restarted));
}

/// The replaced process cannot be proven, because the token is another one by now.
TEST(LockOut, BeginsAnewWhereTheTokenChangesWhileAReplacementIsProven) {
    CompromisedWorld world;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    RotationWorld::Unit& unit = world.unit(b);
    unit.state.invocation = "rebooted";
    unit.readiness->connector_id = "rebooted";
    world.before_action = [&, samples = 0](const std::string& action) mutable {
        if (action != "sample" || ++samples != 2) return;
        unit.state.active_state = unit.state.sub_state = "failed";
        unit.readiness.reset();
        world.api_token = Token::foreign;
    };
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.patches, 2);
    EXPECT_EQ(world.unit(a).restarts, 1) << "it is on our token";
}

}  // namespace
}  // namespace keyturn
