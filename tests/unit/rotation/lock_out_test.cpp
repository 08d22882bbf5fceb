#include "unit/rotation/compromised_world.hpp"

namespace keyturn {
namespace {

using LockOut = CompromisedTest;

const std::string no_descriptor = "no file descriptor is left";

/// The silent unit is the same process that named its connector a moment ago.
TEST_F(LockOut, IsNotConfusedByAMomentOfSilence) {
    ASSERT_TRUE(rotate_until("save finish"));
    foreign_connectors = {neighbour};
    int looks = 0;
    int dropped_after = 0;
    before_each([&](const std::string& action) {
        if (action == "evict neighbour") dropped_after = looks;
        if (action == "sample") ++looks;
        unit(a).silent = looks == 1 ? no_descriptor : "";
    });
    run();
    expect_locked_out();
    EXPECT_EQ(dropped_after, 1);
}

/// Unit a loses a connection between the list and its sample, while another connector is in doubt
/// for long enough.
TEST_F(LockOut, DropsNobodyForAListThatIsOlderThanTheLook) {
    unit(a).readiness->connections = 3;  // As many as it had at first.
    ASSERT_TRUE(rotate_until("save finish"));
    foreign_connectors = {neighbour};
    unit(b).replace_process("rebooted");
    const BootTime begun = now;
    int looks = 0;
    before_each([&](const std::string& action) {
        unit(b).silent = now - begun < 15s ? no_descriptor : "";
        if (now - begun > 15s) return;
        const bool loses_one = action == "sample" && ++looks % 2 == 0;
        unit(a).readiness->connections = loses_one ? 3 : full;
    });
    run();
    expect_locked_out();
    EXPECT_EQ(count("evict neighbour"), 1U);
    EXPECT_EQ(count("evict " + unit(a).readiness->connector_id), 0U);
}

TEST_F(LockOut, EndsAlsoWhereAUnitNeverTellsItsConnector) {
    unit(b).silent = "it has a network namespace of its own";
    ASSERT_TRUE(rotate_until("save finish"));
    foreign_connectors = {neighbour};
    run();
    expect_locked_out();
    EXPECT_EQ(history.front().units.back().name, b);
    EXPECT_EQ(history.front().units.back().verified_by, "systemd");
    EXPECT_EQ(restarts(b), 1);
}

/// A connector that comes back is ours only while the token is.
TEST_F(LockOut, TakesNobodyForOursWhoComesBackWithSomebodyElsesToken) {
    unit(b).silent = "it has a network namespace of its own";
    ASSERT_TRUE(rotate_until("save finish"));
    foreign_connectors = {neighbour};
    once_before("evict neighbour", [&] { foreign_come_back = true; });
    before("list connectors", [&] {
        if (foreign_come_back && patches == 1) api_token = Token::foreign;
    });
    once_before("patch", [&] { foreign_come_back = false; });
    run();
    expect_locked_out();
    EXPECT_EQ(patches, 2);
    EXPECT_EQ(count("evict neighbour"), 2U);
    EXPECT_EQ(count(EventKind::locked_out), 1U);
}

TEST_F(LockOut, SendsOurSecretAgainOverSomebodyElses) {
    start();
    ASSERT_TRUE(run_past("deliver"));
    api_token = Token::foreign;
    run();
    expect_locked_out();
    EXPECT_EQ(patches, 2);
    EXPECT_EQ(secrets_made, 1) << "the same one";
}

TEST_F(LockOut, SendsOurSecretAgainWhereThePatchWasLostAndSomebodyElseCameIn) {
    fail_next("patch", answer_lost);
    start();
    ASSERT_TRUE(run_past("patch"));
    api_token = Token::foreign;
    run();
    expect_locked_out();
}

TEST_F(LockOut, SendsOurSecretAgainInTheMiddleOfTheRestarts) {
    start();
    ASSERT_TRUE(run_past("restart " + b));
    once_before("read token", [&] { api_token = Token::foreign; });
    run();
    expect_locked_out();
    EXPECT_EQ(patches, 2);
}

/// The API is behind, or somebody restores the old secret: keyturnd sends ours once more and waits.
TEST_F(LockOut, SendsOurSecretAgainOnceWhereTheOldTokenIsShown) {
    ASSERT_TRUE(rotate_until("deliver"));
    token_shown = Token::old;
    before("read token", [&, since = now] {
        if (now - since > 60s) token_shown.reset();
    });
    run();
    expect_locked_out();
    EXPECT_EQ(patches, 2);
}

/// The record comes from a backup: since then the tunnel and its units got another token.
TEST_F(LockOut, RestartsEveryUnitAgainWhereTheRecordIsAnOlderOne) {
    start();
    ASSERT_TRUE(run_past("save finish"));
    api_token = Token::foreign;
    file_token = Token::foreign;
    for (auto& [name, unit] : units) {
        unit.token = Token::foreign;
        unit.replace_process("of-a-later-rotation-" + name);
    }
    crash_and_restart();
    run();
    expect_locked_out();
}

TEST_F(LockOut, DropsNobodyByAnOlderRecordOfItsEnd) {
    start();
    ASSERT_TRUE(run_past("save finish"));
    api_token = Token::foreign;  // Of a rotation after that backup.
    unit(b).silent = "its metrics server does not answer";
    foreign_connectors = {neighbour};
    crash_and_restart();
    before_each([&](const std::string& action) {
        const bool evicts = action.starts_with("evict");
        EXPECT_TRUE(!evicts || api_token == Token::ours) << action;
    });
    run();
    expect_locked_out();
    EXPECT_EQ(patches, 2);
}

TEST_F(LockOut, IsHeldWhereSomebodyIsStrongerThanWe) {
    ASSERT_TRUE(rotate_until("deliver"));
    before("read token", [&] { api_token = Token::foreign; });
    run();
    ASSERT_EQ(held_for(), HoldReason::foreign_rotation);
    EXPECT_THAT(hold().text, HasSubstr("remove their access"));
    EXPECT_EQ(patches, 4);
    EXPECT_EQ(restarts(a), 0);
    EXPECT_EQ(count("keep token"), 0U);
    leave_alone();
    retry();
    expect_locked_out();
}

TEST_F(LockOut, IsHeldWhereSomebodyStaysAttached) {
    foreign_come_back = true;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::not_locked_out);
    EXPECT_EQ(hold().unit, "");
    EXPECT_FALSE(told(EventKind::locked_out));
    EXPECT_GT(count("evict thief"), 10U) << "dropped each time the API lists it";
    foreign_come_back = false;
    retry();
    expect_locked_out();
}

TEST_F(LockOut, IsHeldWhereCloudflareDoesNotListOneOfOurs) {
    ASSERT_TRUE(rotate_until("save finish"));
    unit(b).fate = Fate::not_listed;
    run();
    ASSERT_EQ(held_for(), HoldReason::not_locked_out);
    EXPECT_EQ(hold().unit, b);
    unit(b).fate = Fate::comes_up;
    retry();
    expect_locked_out();
}

TEST_F(LockOut, GivesCloudflareItsTimeAgainAfterAnOutage) {
    ASSERT_TRUE(rotate_until("save finish"));
    unit(b).fate = Fate::not_listed;
    fail_next("list connectors", no_answer, 12);
    steps(80);
    EXPECT_FALSE(held());
    unit(b).fate = Fate::comes_up;
    run();
    expect_locked_out();
}

TEST_F(LockOut, ProvesAUnitAgainWhoseProcessWasReplaced) {
    ASSERT_TRUE(rotate_until("save finish"));
    unit(b).replace_process("rebooted");
    run();
    expect_locked_out();
    EXPECT_EQ(history.front().units.back().connector_after, "rebooted");
    EXPECT_TRUE(told(EventKind::soak_restarted));
}

/// The new process cannot be proven, because the token has changed.
TEST_F(LockOut, BeginsAnewWhereTheTokenChangesWhileAReplacementIsProven) {
    ASSERT_TRUE(rotate_until("save finish"));
    unit(b).replace_process("rebooted");
    before("sample", [&, samples = 0]() mutable {
        if (++samples != 2) return;
        unit(b).fail();
        api_token = Token::foreign;
    });
    run();
    expect_locked_out();
    EXPECT_EQ(patches, 2);
    EXPECT_EQ(restarts(a), 1) << "it is on our token";
}

}  // namespace
}  // namespace keyturn
