#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <utility>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";

/// A rotation that must be refused with `expected` in its reason and must have touched nothing.
void expect_refusal(RotationWorld& world, const std::string& expected) {
    world.start();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_THAT(world.rotation->view().reason, HasSubstr(expected));
    EXPECT_TRUE(world.told(EventKind::rotation_refused));
    EXPECT_EQ(world.patches, 0);
    EXPECT_EQ(world.secrets_made, 0);
    EXPECT_EQ(world.file_token, RotationWorld::Token::old);
    EXPECT_EQ(world.unit(world.order.front()).restarts, 0);
    EXPECT_FALSE(world.disk_record.has_value());
    ASSERT_EQ(world.history.size(), 1U);
    EXPECT_EQ(world.history.front().outcome, Outcome::refused);
}

TEST(Preflight, RefusesACredentialThatIsNotAllowed) {
    RotationWorld world({a, b});
    world.faults.push_back({"read token", {Fault::denied, "the API token lacks Write", {}}});
    expect_refusal(world, "the API token lacks Write");
}

TEST(Preflight, RefusesAnUnknownTunnelOrAccount) {
    RotationWorld world({a, b});
    world.faults.push_back({"read token", {Fault::missing, "no such tunnel", {}}});
    expect_refusal(world, "no such tunnel");
}

TEST(Preflight, AsksThreeTimesBeforeItGivesUpOnASilentApi) {
    RotationWorld world({a, b});
    for (int i = 0; i < 3; ++i) {
        world.faults.push_back({"read token", {Fault::unreachable, "connection refused", {}}});
    }
    expect_refusal(world, "connection refused");
    EXPECT_EQ(world.count("read token"), 3U);
}

TEST(Preflight, GoesOnWhenTheApiAnswersTheSecondTime) {
    RotationWorld world({a, b});
    world.faults.push_back({"read token", {Fault::busy, "429", 3s}});
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Preflight, RefusesADeletedTunnel) {
    RotationWorld world({a, b});
    world.tunnel_deleted = true;
    expect_refusal(world, "was deleted at Cloudflare; correct `tunnel:`");
}

TEST(Preflight, RefusesAnUnknownUnit) {
    RotationWorld world({a, b});
    world.unit(b).state = UnitState{};
    world.unit(b).state.name = b;
    world.unit(b).state.load_state = "not-found";
    expect_refusal(world, b + " is not-found: correct `units:`");
}

TEST(Preflight, RefusesAUnitThatIsFailed) {
    RotationWorld world({a, b});
    world.unit(b).state.active_state = world.unit(b).state.sub_state = "failed";
    world.unit(b).state.main_pid = 0;
    expect_refusal(world, b + " is failed/failed: fix it first");
}

TEST(Preflight, RefusesAUnitWithoutAConnection) {
    RotationWorld world({a, b});
    world.unit(b).readiness->serving = false;
    world.unit(b).readiness->connections = 0;
    expect_refusal(world, "has no connection to Cloudflare (/ready says 0)");
}

TEST(Preflight, RefusesAUnitOfAnotherTunnel) {
    RotationWorld world({a, b});
    world.unit(b).readiness->tunnel = "00000000-0000-0000-0000-000000000001";
    expect_refusal(world, "serves tunnel 00000000-0000-0000-0000-000000000001");
}

TEST(Preflight, RefusesAUnitThatWouldNotReadOurFile) {
    RotationWorld world({a, b});
    world.unit(a).problem = "takes its token from the command line";
    expect_refusal(world, a + ": takes its token from the command line");
}

TEST(Preflight, RefusesAUnitThatPolkitDoesNotAllow) {
    RotationWorld world({a, b});
    world.unit(b).refused = true;
    expect_refusal(world, b + ": polkit does not allow to restart it");
}

TEST(Preflight, RefusesAnExtraUnitThatPolkitDoesNotAllow) {
    RotationWorld world({a});
    world.add_surge("keyturn-surge@web.service");
    world.unit("keyturn-surge@web.service").refused = true;
    expect_refusal(world, "keyturn-surge@web.service: polkit does not allow");
}

TEST(Preflight, AsksThreeTimesBeforeItGivesUpOnASilentPolkit) {
    RotationWorld world({a, b});
    world.polkit_gone = true;
    expect_refusal(world, "systemd cannot ask polkit");
    EXPECT_EQ(world.count("inspect units"), 3U);
}

TEST(Preflight, RefusesAnUnwritableTokenDirectory) {
    RotationWorld world({a, b});
    world.faults.push_back({"check files", {Fault::denied, "/var/lib/keyturn/tokens", {}}});
    expect_refusal(world, "the token file cannot be replaced: /var/lib/keyturn/tokens");
}

TEST(Preflight, RefusesASingleReplica) {
    RotationWorld world({a});
    expect_refusal(world, "only one unit is serving");
}

TEST(Preflight, TakesASingleReplicaWhenTheGapIsAccepted) {
    RotationWorld world({a});
    world.request.accept_gap = true;
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Preflight, RefusesATunnelThatAlsoRunsElsewhere) {
    RotationWorld world({a, b});
    world.foreign_connectors.push_back(
        {"connector-x", "198.51.100.7", "2026-01-01T00:00:00Z", "", 4});
    expect_refusal(world, "connector-x from 198.51.100.7");
}

TEST(Preflight, RefusesWhenTheApiDoesNotListAUnit) {
    RotationWorld world({a, b});
    world.unit(b).fate = RotationWorld::Fate::not_listed;
    world.unit(b).restarts = 1;
    world.start();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_THAT(world.rotation->view().reason, HasSubstr("the API does not list connector"));
}

TEST(Preflight, NamesEveryProblemAtOnce) {
    RotationWorld world({a, b});
    world.unit(a).problem = "takes its token from the command line";
    world.unit(b).readiness->serving = false;
    world.start();
    world.run();
    EXPECT_THAT(world.rotation->view().reason, HasSubstr(a));
    EXPECT_THAT(world.rotation->view().reason, HasSubstr(b));
}

TEST(Preflight, ListsAUnitThatIsStoppedAndLeavesItSo) {
    RotationWorld world({a, b, "cloudflared-web@3.service"});
    RotationWorld::Unit& stopped = world.unit("cloudflared-web@3.service");
    world.stop(stopped);
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(stopped.restarts, 0);
    EXPECT_EQ(world.history.front().units.back().step, UnitStep::listed);
    EXPECT_TRUE(world.told(EventKind::unit_left_stopped));
}

TEST(Refusal, StaysOneOverACrash) {
    RotationWorld world({a, b});
    world.faults.push_back({"patch", {Fault::denied, "403", {}}});
    world.start();
    while (world.count("forget") == 0) world.step();
    world.crash_and_restart();
    world.run();
    EXPECT_TRUE(world.refused());
    EXPECT_EQ(world.secrets_made, 1);
    EXPECT_EQ(world.count("patch"), 1U);
    EXPECT_FALSE(world.disk_record);
}

}  // namespace
}  // namespace keyturn
