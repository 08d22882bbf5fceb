#include "unit/member/lead_fixture.hpp"

namespace keyturn {
namespace {

TEST_F(LeadExecutorTest, ARestartIsATurnThatTheHostTakesAndEnds) {
    lead();
    after(3s, host_takes());
    after(9s, host_ends(RestartResult(JobResult::done)));
    const auto restarted = restart();
    ASSERT_TRUE(restarted) << restarted.error().text;
    EXPECT_EQ(*restarted, JobResult::done);
    EXPECT_THAT(turns(), IsEmpty()) << "its result was read";
    EXPECT_EQ(object_.document().turns_granted, 1U);
}

TEST_F(LeadExecutorTest, WhatSystemdSaidOnTheHostIsTheResult) {
    lead();
    RestartResult failed(JobResult::failed);
    failed.not_reset = "systemd did not answer";
    after(3s, host_takes());
    after(9s, host_ends(failed));
    EXPECT_EQ(restart().value(), failed);
    after(3s, host_takes());
    after(9s, host_ends(no_right));
    const auto refused = restart();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::denied);
    EXPECT_EQ(refused.error().text, no_right.text);
}

TEST_F(LeadExecutorTest, ATurnThatNobodyTakesIsWithdrawn) {
    lead();
    const BootTime before = clock_.boot_now();
    const auto restarted = restart();
    ASSERT_FALSE(restarted);
    EXPECT_EQ(restarted.error().fault, Fault::busy) << "other units go first";
    EXPECT_THAT(clock_.boot_now() - before,
                AllOf(Ge(FleetTimes().take), Lt(FleetTimes().take + 5s)));
    EXPECT_THAT(turns(), IsEmpty());
    EXPECT_THAT(restarted.error().text,
                AllOf(HasSubstr("does not take its turn"), HasSubstr("start keyturnd on host-2"),
                      HasSubstr("keyturnctl fleet decommission web host-2")));
}

TEST_F(LeadExecutorTest, AHostThatTakesNoTurnForLongIsAMatterForAPerson) {
    lead();
    const BootTime first = clock_.boot_now();
    Fault fault = Fault::busy;
    while (fault == Fault::busy && clock_.boot_now() - first < 1h) fault = restart().error().fault;
    EXPECT_EQ(fault, Fault::silent);
    EXPECT_THAT(clock_.boot_now() - first, Ge(FleetTimes().silence));
    after(3s, host_takes());
    after(9s, host_ends(RestartResult(JobResult::done)));
    ASSERT_TRUE(restart());
    EXPECT_EQ(restart().error().fault, Fault::busy) << "its silence is forgotten";
}

/// In a compromise its unit is to restart, whatever the others do.
TEST_F(LeadExecutorTest, AHostThatDoesNotTakeTheTokenForLongIsAMatterForAPerson) {
    FleetDocument document = rolling_fleet();
    document.members.at("host-2").file = old_print;
    lead(document);
    const BootTime first = clock_.boot_now();
    Error error{Fault::busy, "", {}};
    while (error.fault == Fault::busy && clock_.boot_now() - first < 1h) {
        error = restart().error();
        pass(1s);
    }
    EXPECT_EQ(error.fault, Fault::silent);
    EXPECT_THAT(error.text, AllOf(HasSubstr("does not have the new token yet"),
                                  HasSubstr("keyturnctl fleet decommission web host-2")));
}

TEST_F(LeadExecutorTest, AnOutageOfTheStoreIsNoSilenceOfAHost) {
    lead();
    EXPECT_EQ(restart().error().fault, Fault::busy);
    object_.down = no_answer;
    pass(1h);
    object_.down.reset();
    look();
    EXPECT_EQ(restart().error().fault, Fault::busy);
}

TEST_F(LeadExecutorTest, ATurnThatWasTakenIsNeverWithdrawn) {
    lead();
    after(3s, host_takes());
    const BootTime before = clock_.boot_now();
    const auto restarted = restart(60s);
    ASSERT_FALSE(restarted);
    EXPECT_EQ(restarted.error().fault, Fault::silent);
    EXPECT_THAT(restarted.error().text,
                AllOf(HasSubstr(unit_of(2) + " took its turn and has said nothing since"),
                      HasSubstr("keyturnctl fleet decommission web host-2")));
    EXPECT_THAT(clock_.boot_now() - before, Ge(FleetTimes().silence + 60s));
    ASSERT_THAT(turns(), SizeIs(1));
    EXPECT_EQ(turns()[0].state, TurnState::taken) << "the host may be about to restart the unit";
    sample();
    RestartUnit other;
    other.unit = unit_of(1);
    other.deadline = 60s;
    other.not_after = clock_.boot_now() + 10s;
    const auto refused = ask(other);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr(unit_of(2) + " has its turn and does not end it"));
    EXPECT_THAT(turns(), SizeIs(1));
}

TEST_F(LeadExecutorTest, AHurriedRestartWaitsForNobody) {
    lead();
    const BootTime before = clock_.boot_now();
    EXPECT_EQ(restart(0s).value(), JobResult::queued);
    EXPECT_EQ(clock_.boot_now(), before);
    ASSERT_THAT(turns(), SizeIs(1));
    EXPECT_TRUE(turns()[0].hurried);
}

TEST_F(LeadExecutorTest, AnOldCheckGrantsNothing) {
    lead();
    sample();
    RestartUnit wish;
    wish.unit = unit_of(2);
    wish.deadline = 60s;
    wish.not_after = clock_.boot_now() + 10s;
    clock_.suspend(11s);
    EXPECT_EQ(ask(wish).error().fault, Fault::busy);
    EXPECT_EQ(object_.swaps, 0);
}

TEST_F(LeadExecutorTest, AUnitThatHasChangedSinceTheCheckGrantsNothing) {
    lead();
    sample();
    object_.change([](FleetDocument& document) {
        fail(document.members.at("host-1").units[0].seen.state);
        return Result<void>();
    });
    RestartUnit wish;
    wish.unit = unit_of(2);
    wish.deadline = 60s;
    wish.not_after = clock_.boot_now() + 10s;
    const auto refused = ask(wish);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::busy);
    EXPECT_THAT(refused.error().text, HasSubstr("the units of host-1 have just changed"));
    EXPECT_THAT(turns(), IsEmpty());
}

TEST_F(LeadExecutorTest, AFleetHasNoExtraConnectorToStop) {
    lead();
    EXPECT_EQ(ask(StopUnit{extra, 60s, clock_.boot_now() + 10s}).error().fault, Fault::invalid);
}

}  // namespace
}  // namespace keyturn
