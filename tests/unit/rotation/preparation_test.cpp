#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

class Preflight : public RotationTest {
  protected:
    /// A rotation that is refused with `expected` in its reason and has touched nothing.
    void expect_refusal(const std::string& expected) {
        rotate();
        ASSERT_TRUE(refused());
        EXPECT_THAT(rotation->view().reason, HasSubstr(expected));
        EXPECT_TRUE(told(EventKind::rotation_refused));
        EXPECT_EQ(patches, 0);
        EXPECT_EQ(secrets_made, 0);
        EXPECT_EQ(file_token, Token::old);
        EXPECT_EQ(restarts(), 0);
        EXPECT_FALSE(disk_record);
        ASSERT_THAT(history, SizeIs(1));
        EXPECT_EQ(outcome(), Outcome::refused);
    }
};
using Refusal = RotationTest;

TEST_F(Preflight, RefusesACredentialThatIsNotAllowed) {
    fail_next("read token", {Fault::denied, "the API token lacks Write", {}});
    expect_refusal("the API token lacks Write");
}

TEST_F(Preflight, RefusesAnUnknownTunnelOrAccount) {
    fail_next("read token", {Fault::missing, "no such tunnel", {}});
    expect_refusal("no such tunnel");
}

TEST_F(Preflight, AsksThreeTimesBeforeItGivesUpOnASilentApi) {
    fail_next("read token", no_answer, 3);
    expect_refusal("no answer");
    EXPECT_EQ(count("read token"), 3U);
}

TEST_F(Preflight, GoesOnWhenTheApiAnswersTheSecondTime) {
    fail_next("read token", {Fault::busy, "429", 3s});
    rotate();
    EXPECT_TRUE(done());
}

TEST_F(Preflight, RefusesADeletedTunnel) {
    tunnel_deleted = true;
    expect_refusal("was deleted at Cloudflare; correct `tunnel:`");
}

TEST_F(Preflight, RefusesAnUnknownUnit) {
    unit(b).state = UnitState{};
    unit(b).state.name = b;
    unit(b).state.load_state = "not-found";
    expect_refusal(b + " is not-found: correct `units:`");
}

TEST_F(Preflight, RefusesAUnitThatIsFailed) {
    unit(b).fail();
    expect_refusal(b + " is failed/failed: fix it first");
}

TEST_F(Preflight, RefusesAUnitWithoutAConnection) {
    unit(b).readiness->serving = false;
    unit(b).readiness->connections = 0;
    expect_refusal("has no connection to Cloudflare (/ready says 0)");
}

TEST_F(Preflight, RefusesAUnitOfAnotherTunnel) {
    unit(b).readiness->tunnel = other_tunnel_id;
    expect_refusal("serves tunnel " + other_tunnel_id);
}

TEST_F(Preflight, RefusesAUnitThatWouldNotReadOurFile) {
    unit(a).problem = "takes its token from the command line";
    expect_refusal(a + ": takes its token from the command line");
}

TEST_F(Preflight, RefusesAUnitThatPolkitDoesNotAllow) {
    unit(b).refused = true;
    expect_refusal(b + ": polkit does not allow restarting it");
}

TEST_F(Preflight, RefusesAnExtraUnitThatPolkitDoesNotAllow) {
    leave_one_unit();
    add_surge();
    unit(extra).refused = true;
    expect_refusal(extra + ": polkit does not allow");
}

TEST_F(Preflight, AsksThreeTimesBeforeItGivesUpOnASilentPolkit) {
    polkit_gone = true;
    expect_refusal("systemd cannot ask polkit");
    EXPECT_EQ(count("inspect units"), 3U);
}

TEST_F(Preflight, RefusesAnUnwritableTokenDirectory) {
    fail_next("check files", {Fault::denied, "/var/lib/keyturn/tokens", {}});
    expect_refusal("the token file cannot be replaced: /var/lib/keyturn/tokens");
}

TEST_F(Preflight, RefusesASingleReplica) {
    leave_one_unit();
    expect_refusal("only one unit is serving");
}

TEST_F(Preflight, TakesASingleReplicaWhenTheGapIsAccepted) {
    leave_one_unit();
    request.accept_gap = true;
    rotate();
    EXPECT_TRUE(done());
}

TEST_F(Preflight, RefusesATunnelThatAlsoRunsElsewhere) {
    foreign_connectors = {thief};
    expect_refusal("thief from " + other_address);
}

TEST_F(Preflight, RefusesWhenTheApiDoesNotListAUnit) {
    unit(b).fate = Fate::not_listed;
    unit(b).restarts = 1;
    rotate();
    ASSERT_TRUE(refused());
    EXPECT_THAT(rotation->view().reason, HasSubstr("the API does not list connector"));
}

TEST_F(Preflight, NamesEveryProblemAtOnce) {
    unit(a).problem = "takes its token from the command line";
    unit(b).readiness->serving = false;
    rotate();
    EXPECT_THAT(rotation->view().reason, HasSubstr(a));
    EXPECT_THAT(rotation->view().reason, HasSubstr(b));
}

TEST_F(Preflight, ListsAUnitThatIsStoppedAndLeavesItSo) {
    add_unit(c);
    unit(c).stop();
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(restarts(c), 0);
    EXPECT_EQ(history.front().units.back().step, UnitStep::listed);
    EXPECT_TRUE(told(EventKind::unit_left_stopped));
}

TEST_F(Refusal, StaysOneOverACrash) {
    fail_next("patch", no_right);
    start();
    ASSERT_TRUE(run_past("forget"));
    crash_and_restart();
    run();
    EXPECT_TRUE(refused());
    EXPECT_EQ(secrets_made, 1);
    EXPECT_EQ(count("patch"), 1U);
    EXPECT_FALSE(disk_record);
}

}  // namespace
}  // namespace keyturn
