// After a compromise the stranger is out within a bound, whatever the units do.

#include "unit/rotation/compromised_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using Token = RotationWorld::Token;

/// How long after the new secret nobody is attached any more who is not ours.
struct Stopwatch {
    explicit Stopwatch(CompromisedWorld& watched) : world(watched) {
        world.before_action = [this](const std::string& action) {
            if (action == "deliver" && !taken) taken = world.now;
            if (taken && world.foreign_connectors.empty() && !gone) gone = world.now;
        };
    }

    [[nodiscard]] Milliseconds lockout() const {
        return taken && gone ? Milliseconds{*gone - *taken} : Milliseconds::max();
    }

    CompromisedWorld& world;
    std::optional<BootTime> taken;
    std::optional<BootTime> gone;
};

TEST(Eviction, OfAStrangerFromElsewhereIsNotPutOffByASilentUnit) {
    CompromisedWorld world;
    Stopwatch watch(world);
    world.unit(b).silent = "it has a network namespace of its own";
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_LE(watch.lockout(), 1s);
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Eviction, OfWhatCannotBeToldComesThirtySecondsAfterTheNewSecret) {
    CompromisedWorld world;
    world.foreign_connectors = {neighbour};
    Stopwatch watch(world);
    world.unit(b).silent = "it does not answer within 1.5 s";
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_GE(watch.lockout(), 30s);
    EXPECT_LE(watch.lockout(), 35s);
    ASSERT_TRUE(world.told(EventKind::drift_unknown));
    EXPECT_EQ(world.unit(b).restarts, 1) << "dropped with the stranger, and restarted at once";
    EXPECT_EQ(world.unit(a).restarts, 1);
    const std::vector<std::string> deeds = world.deeds();
    EXPECT_LT(std::ranges::find(deeds, "restart " + b), std::ranges::find(deeds, "restart " + a));
}

/// keyturnd stands still between the list and the look, and a unit of ours loses a connection.
TEST(Eviction, DropsNobodyForAListThatIsMinutesOlderThanTheLook) {
    CompromisedWorld world;
    world.unit(a).readiness->connections = 3;  // As many as it had at first.
    world.foreign_connectors = {neighbour};
    world.unit(b).silent = "it does not answer within 1.5 s";
    const std::string connector = world.unit(a).readiness->connector_id;
    std::optional<BootTime> taken;
    bool stood_still = false;
    world.before_action = [&](const std::string& action) {
        if (action == "deliver" && !taken) taken = world.now;
        if (!taken || world.unit(a).restarts > 0) return;
        world.unit(a).readiness->connections = 4;
        if (action != "sample" || stood_still || world.now - *taken < 30s) return;
        stood_still = true;
        world.now += 9min;
        world.unit(a).readiness->connections = 3;
    };
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_TRUE(stood_still);
    EXPECT_EQ(world.count("evict neighbour"), 1U);
    EXPECT_EQ(world.count("evict " + connector), 0U);
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(Eviction, RestartsAllInOneBatchWhereAllHadToGo) {
    CompromisedWorld world;
    world.foreign_connectors = {neighbour};
    Stopwatch watch(world);
    for (const std::string& unit : {a, b}) world.unit(unit).silent = "no file descriptor is left";
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_LE(watch.lockout(), 35s);
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(b).restarts, 1);
    for (const UnitProgress& unit : world.history.front().units) EXPECT_EQ(unit.batch, 1);
}

TEST(Eviction, SparesWhatAUnitToldAsTheProcessThatItStillIs) {
    CompromisedWorld world;
    world.foreign_connectors = {neighbour};
    Stopwatch watch(world);
    RotationWorld::Unit& silent = world.unit(b);
    world.proven = {{b, silent.state.invocation, silent.readiness->connector_id, "192.0.2.1"}};
    silent.silent = "no file descriptor is left";
    world.start();
    world.run();
    expect_locked_out(world);
    EXPECT_LE(watch.lockout(), 1s) << "everybody else is a stranger";
    EXPECT_FALSE(world.told(EventKind::drift_unknown));
}

TEST(Eviction, OfWhatMayBeOursWaitsForTheBusWithAnAlarmEachMinute) {
    CompromisedWorld world;
    world.foreign_connectors = {thief, neighbour};
    world.proven = {{b, "earlier", "earlier", "192.0.2.1"}};
    Stopwatch watch(world);
    world.bus_down = true;
    world.start();
    while (!watch.taken || world.now - *watch.taken < 10min) ASSERT_TRUE(world.step());
    EXPECT_EQ(world.foreign_connectors, std::vector<Connector>{neighbour})
        << "who comes from elsewhere is out";
    EXPECT_EQ(world.file_token, Token::ours);
    const auto alarms = std::ranges::count(world.events, EventKind::lockout_blocked, &Event::kind);
    EXPECT_GE(alarms, 8);
    EXPECT_LE(alarms, 11);
    EXPECT_THAT(world.last(EventKind::lockout_blocked)->message,
                AllOf(HasSubstr("systemd does not answer"), HasSubstr("from 192.0.2.1"),
                      HasSubstr("keyturnctl rotate web --compromised --evict-all")));
    EXPECT_THAT(world.rotation->view().reason, HasSubstr("--evict-all"));
    world.bus_down = false;
    world.run();
    expect_locked_out(world);
    EXPECT_EQ(world.unit(a).restarts + world.unit(b).restarts, 2);
}

TEST(Eviction, OfWhatMayBeOursWaitsForPolkit) {
    CompromisedWorld world;
    world.foreign_connectors = {neighbour};
    Stopwatch watch(world);
    world.unit(b).silent = "it does not answer within 1.5 s";
    world.unit(a).refused = true;
    world.start();
    while (!watch.taken || world.now - *watch.taken < 5min) ASSERT_TRUE(world.step());
    EXPECT_FALSE(world.foreign_connectors.empty());
    EXPECT_TRUE(world.told(EventKind::lockout_blocked));
    world.unit(a).refused = false;
    world.run();
    expect_locked_out(world);
}

TEST(Eviction, EverybodyDoesNotWaitForTheBusWhereThatWasAskedFor) {
    CompromisedWorld world;
    world.foreign_connectors = {neighbour};
    Stopwatch watch(world);
    world.request.evict_all = true;
    world.bus_down = true;
    world.start();
    while (!watch.taken || world.now - *watch.taken < 1min) ASSERT_TRUE(world.step());
    EXPECT_TRUE(world.foreign_connectors.empty());
    world.bus_down = false;
    world.run();
    expect_locked_out(world);
}

TEST(Eviction, LeavesOutUnitsOfOtherTunnelsWithAnAlarm) {
    CompromisedWorld world({a, b, c});
    world.unit(c).readiness->tunnel = "0b1a7c6e-0000-4000-8000-000000000000";
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(c).restarts, 0);
    ASSERT_TRUE(world.told(EventKind::unit_passed_over));
    EXPECT_EQ(world.last(EventKind::unit_passed_over)->priority, Priority::alert);
    EXPECT_THAT(world.last(EventKind::unit_passed_over)->message, HasSubstr(c));
}

TEST(Eviction, IsRefusedBeforeTheNewSecretWhereNoUnitIsOfThisTunnel) {
    CompromisedWorld world;
    for (const std::string& unit : {a, b}) {
        world.unit(unit).readiness->tunnel = "0b1a7c6e-0000-4000-8000-000000000000";
    }
    world.start();
    world.run();
    EXPECT_TRUE(world.refused());
    EXPECT_EQ(world.patches, 0);
}

TEST(Eviction, HoldsNameWhoIsAttachedAndTheCommandThatEndsIt) {
    CompromisedWorld world;
    world.foreign_come_back = true;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_THAT(world.disk_record->hold->text,
                AllOf(HasSubstr("1 connector is attached"), HasSubstr("from 198.51.100.7"),
                      HasSubstr("keyturnctl rotate web --compromised --evict-all")));
}

TEST(Eviction, TakesInUnitsThatThePolicyNamesSince) {
    CompromisedWorld world({a, b, c});
    world.order = {a, b};
    world.foreign_come_back = true;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    world.order = {a, b, c};  // Corrected, and reloaded.
    world.foreign_come_back = false;
    world.retry_and_run();
    expect_locked_out(world);
    EXPECT_EQ(world.unit(c).restarts, 1);
}

}  // namespace
}  // namespace keyturn
