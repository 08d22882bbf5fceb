#include "unit/member/fleet_hosts.hpp"

namespace keyturn {
namespace {

using Kind = FleetCommand::Kind;

/// A host's way into its fleet, and what a person does to the fleet.
class FleetPlaceTest : public FleetHostsTest {
  protected:
    static Fault fault_of(const Result<std::string>& told) {
        EXPECT_FALSE(told);
        return told ? Fault::cancelled : told.error().fault;
    }
};

TEST_F(FleetPlaceTest, IsEmptyUntilTheHostHasJoinedAndNamesTheCommand) {
    pass(5min);
    EXPECT_THAT(first_.findings(), HasSubstr("`keyturnctl fleet join web`"));
    EXPECT_THAT(first_.place->describe(), HasSubstr("keyturnctl fleet join web"));
    EXPECT_EQ(first_.place->status().state, "idle");
    const Result<void> refused = first_.place->request_rotation({});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::denied);
    EXPECT_THAT(refused.error().text, HasSubstr("`keyturnctl fleet join web`"));
    EXPECT_FALSE(first_.place->decide(Decision::retry));
    EXPECT_EQ(object_.reads, 0);
    EXPECT_EQ(restarts(), 0);
}

TEST_F(FleetPlaceTest, IsTakenAtOnceAfterInitAndJoin) {
    const auto made = first_.type(Kind::init, "host-1");
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_THAT(*made, HasSubstr("keyturnctl fleet join web"));
    const FleetDocument document = this->document();
    EXPECT_EQ(document.tunnel, tunnel_id);
    EXPECT_THAT(document.members, SizeIs(1));
    EXPECT_TRUE(run_until([&] { return first_.file() == first_.units.api_token_text(); }, 10s));
    const auto joined = second_.type(Kind::join, "host-2");
    ASSERT_TRUE(joined) << joined.error().text;
    EXPECT_THAT(*joined, HasSubstr("2 hosts"));
    EXPECT_TRUE(run_until([&] { return second_.file() == second_.units.api_token_text(); }, 10s));
    EXPECT_NE(this->document().members.at("host-1").install,
              this->document().members.at("host-2").install);
}

TEST_F(FleetPlaceTest, IsTakenWhenWhatWasMissingIsThere) {
    first_.broken = Error{Fault::missing, "there is no fleet key", {}};
    pass(2min);
    EXPECT_EQ(first_.findings(), "there is no fleet key\n");
    EXPECT_THAT(first_.log.message(EventKind::finding_began), HasSubstr("there is no fleet key"));
    EXPECT_EQ(fault_of(first_.type(Kind::init, "host-1")), Fault::missing);
    first_.broken.reset();
    pass(61s);
    EXPECT_THAT(first_.findings(), HasSubstr("has not joined"));
}

TEST_F(FleetPlaceTest, IsTheSameAfterARestart) {
    make_fleet();
    const FleetDocument before = document();
    second_.stop();
    second_.start();
    pass(5min);
    EXPECT_EQ(document(), before) << "nothing is new";
    EXPECT_EQ(second_.findings(), "");
}

TEST_F(FleetPlaceTest, InitIsForTheFirstHostOnly) {
    make_fleet();
    const FleetDocument before = document();
    const auto again = second_.type(Kind::init, "host-2");
    EXPECT_EQ(fault_of(again), Fault::conflict);
    EXPECT_THAT(again.error().text, HasSubstr("keyturnctl fleet join web"));
    EXPECT_EQ(document(), before);
}

TEST_F(FleetPlaceTest, InitThatFailsChangesNothingOnTheHost) {
    make_fleet();
    EXPECT_EQ(fault_of(second_.type(Kind::init, "host-2")), Fault::conflict);
    second_.stop();
    second_.start();
    pass(3min);
    EXPECT_EQ(second_.findings(), "") << "it is still the member that it was";
}

TEST_F(FleetPlaceTest, InitRefusesAStoreThatIgnoresConditions) {
    object_.breaks_conditions = true;
    EXPECT_EQ(fault_of(first_.type(Kind::init, "host-1")), Fault::invalid);
    EXPECT_FALSE(object_.text);
    EXPECT_THAT(first_.memory.kept, IsEmpty());
    object_.breaks_conditions = false;
    ASSERT_TRUE(first_.type(Kind::init, "host-1"));
    object_.breaks_conditions = true;
    EXPECT_EQ(fault_of(second_.type(Kind::join, "host-2")), Fault::invalid);
    EXPECT_THAT(document().members, SizeIs(1));
}

TEST_F(FleetPlaceTest, JoinNeedsAFleetAFreeNameAndOneThatIsAName) {
    const auto early = second_.type(Kind::join, "host-2");
    EXPECT_EQ(fault_of(early), Fault::missing);
    EXPECT_THAT(early.error().text, HasSubstr("`keyturnctl fleet init web`"));
    ASSERT_TRUE(first_.type(Kind::init, "host-1"));
    EXPECT_EQ(fault_of(second_.type(Kind::join, "host-1")), Fault::conflict);
    EXPECT_EQ(fault_of(second_.type(Kind::join, "host 2")), Fault::invalid);
    EXPECT_THAT(second_.memory.kept, IsEmpty());
    EXPECT_THAT(document().members, SizeIs(1));
}

TEST_F(FleetPlaceTest, JoinOnAMemberSaysThatItIsOne) {
    make_fleet();
    const FleetDocument before = document();
    const auto again = second_.type(Kind::join);
    ASSERT_TRUE(again);
    EXPECT_THAT(*again, HasSubstr("This host is already host-2"));
    EXPECT_EQ(document(), before);
}

TEST_F(FleetPlaceTest, JoinOfAHostThatForgotItTakesANewName) {
    make_fleet();
    second_.memory.kept.clear();
    second_.stop();
    second_.start();
    EXPECT_EQ(fault_of(second_.type(Kind::join, "host-2")), Fault::conflict);
    ASSERT_TRUE(second_.type(Kind::rejoin, "host-2"));
    pass(2min);
    EXPECT_EQ(second_.findings(), "");
    EXPECT_THAT(document().members, SizeIs(2));
}

TEST_F(FleetPlaceTest, RejoinReplacesTheOtherHostWithThisName) {
    make_fleet();
    const std::string install = document().members.at("host-2").install;
    FleetHost third(context_, clock_, cloud_, object_, 3);
    third.start();
    ASSERT_TRUE(third.type(Kind::rejoin, "host-2"));
    pass(3min);
    EXPECT_NE(document().members.at("host-2").install, install);
    EXPECT_EQ(third.findings(), "");
    EXPECT_THAT(second_.findings(), HasSubstr("another installation is host-2 now"));
    third.stop();
}

TEST_F(FleetPlaceTest, DecommissionRemovesAHostThatIsGone) {
    make_fleet();
    second_.stop();
    EXPECT_EQ(fault_of(first_.type(Kind::decommission, "host-3")), Fault::missing);
    const auto gone = first_.type(Kind::decommission, "host-2");
    ASSERT_TRUE(gone) << gone.error().text;
    EXPECT_THAT(*gone,
                AllOf(HasSubstr("host-2 is not a host of web any more"), HasSubstr("fleet key")));
    EXPECT_THAT(document().members, SizeIs(1));
    second_.start();
    pass(3min);
    EXPECT_THAT(second_.findings(), HasSubstr("does not have host-2 any more"));
    EXPECT_THAT(document().members, SizeIs(1)) << "it does not come back by itself";
    ASSERT_TRUE(second_.type(Kind::join, "host-2"));
    pass(3min);
    EXPECT_EQ(second_.findings(), "");
}

TEST_F(FleetPlaceTest, CommandsOfPeopleAreNoClash) {
    make_fleet();
    FleetHost third(context_, clock_, cloud_, object_, 3);
    third.start();
    ASSERT_TRUE(third.type(Kind::join, "host-3"));
    pass(2min);
    third.stop();
    // While the command is under way, the host has something to report.
    object_.fates = {SwapFate::busy};
    first_.units.restart_by_hand(first_.unit());
    first_.place->unit_job_ended(a);
    ASSERT_TRUE(first_.type(Kind::decommission, "host-3"));
    pass(3min);
    EXPECT_EQ(first_.findings(), "");
}

TEST_F(FleetPlaceTest, AcceptGoesOnFromAnObjectThatWasPutBack) {
    make_fleet();
    const FleetDocument old = document();
    const std::string backup = *object_.text;
    first_.units.restart_by_hand(first_.unit());
    second_.units.restart_by_hand(second_.unit());
    pass(3min);
    ASSERT_GT(document().rev, old.rev);
    object_.put(backup);
    pass(3min);
    EXPECT_THAT(first_.findings(), HasSubstr("somebody has put the shared object back"));
    FleetCommand command;
    command.kind = Kind::accept;
    command.rev = old.rev + 1;
    EXPECT_EQ(fault_of(first_.type(command)), Fault::conflict);
    EXPECT_EQ(*object_.text, backup) << "nobody writes";
    command.rev = old.rev;
    const auto accepted = first_.type(command);
    ASSERT_TRUE(accepted) << accepted.error().text;
    EXPECT_THAT(*accepted, HasSubstr("the same on each other host"));
    ASSERT_TRUE(second_.type(command));
    pass(3min);
    EXPECT_EQ(first_.findings(), "");
    EXPECT_EQ(second_.findings(), "");
    EXPECT_GT(document().rev, old.rev) << "both have reported their new processes";
}

TEST_F(FleetPlaceTest, CommandsNeedAHostThatHasJoined) {
    ASSERT_TRUE(first_.type(Kind::init, "host-1"));
    EXPECT_EQ(fault_of(second_.type(Kind::decommission, "host-1")), Fault::missing);
    FleetCommand command;
    command.kind = Kind::accept;
    EXPECT_EQ(fault_of(second_.type(command)), Fault::missing);
    EXPECT_THAT(document().members, SizeIs(1));
}

}  // namespace
}  // namespace keyturn
