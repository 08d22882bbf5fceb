// After a compromise keyturnd drops unknown connectors within a limit, whatever the units do.

#include "unit/rotation/compromised_world.hpp"

#include <optional>

namespace keyturn {
namespace {

class WholeEviction : public CompromisedTest {
  protected:
    WholeEviction() {
        before_each([this](const std::string&) {
            if (count("deliver") > 0 && foreign_connectors.empty() && !gone_) gone_ = now;
        });
    }

    /// From the delivery of the new token until the last unknown connector is gone.
    [[nodiscard]] Milliseconds lockout() const {
        return gone_ ? Milliseconds{*gone_ - when("deliver")} : Milliseconds::max();
    }

    /// Runs for this long after the delivery.
    void run_on_for(Milliseconds time) {
        ASSERT_TRUE(rotate_until("deliver"));
        ASSERT_TRUE(run_for(time));
    }

  private:
    std::optional<BootTime> gone_;
};

const std::string late = "it does not answer within 1.5 s";
const std::string no_descriptor = "no file descriptor is left";

TEST_F(WholeEviction, OfAStrangerFromElsewhereIsNotPutOffByASilentUnit) {
    unit(b).silent = "it has a network namespace of its own";
    rotate();
    expect_locked_out();
    EXPECT_LE(lockout(), 1s);
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(WholeEviction, OfWhatCannotBeToldComesThirtySecondsAfterTheNewSecret) {
    foreign_connectors = {neighbour};
    unit(b).silent = late;
    rotate();
    expect_locked_out();
    EXPECT_THAT(lockout(), AllOf(Ge(30s), Le(35s)));
    ASSERT_TRUE(told(EventKind::drift_unknown));
    EXPECT_THAT(restarted(), ElementsAre(b, a)) << "keyturnd drops b together with the neighbour";
}

/// keyturnd stands still between the list and the samples, and unit a loses a connection.
TEST_F(WholeEviction, DropsNobodyForAListThatIsMinutesOlderThanTheLook) {
    unit(a).readiness->connections = 3;  // As many as it had at first.
    foreign_connectors = {neighbour};
    unit(b).silent = late;
    const std::string connector = unit(a).readiness->connector_id;
    bool stood_still = false;
    before_each([&](const std::string& action) {
        if (count("deliver") == 0 || restarts(a) > 0) return;
        unit(a).readiness->connections = full;
        if (action != "sample" || stood_still || now - when("deliver") < 30s) return;
        stood_still = true;
        now += 9min;
        unit(a).readiness->connections = 3;
    });
    rotate();
    expect_locked_out();
    EXPECT_TRUE(stood_still);
    EXPECT_EQ(count("evict neighbour"), 1U);
    EXPECT_EQ(count("evict " + connector), 0U);
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(WholeEviction, RestartsAllInOneBatchWhereAllHadToGo) {
    foreign_connectors = {neighbour};
    for (const std::string& each : {a, b}) unit(each).silent = no_descriptor;
    rotate();
    expect_locked_out();
    EXPECT_LE(lockout(), 35s);
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(restarts(b), 1);
    for (const UnitProgress& unit : history.front().units) EXPECT_EQ(unit.batch, 1);
}

TEST_F(WholeEviction, SparesWhatAUnitToldAsTheProcessThatItStillIs) {
    foreign_connectors = {neighbour};
    proven = {{b, unit(b).state.invocation, unit(b).readiness->connector_id, our_address}};
    unit(b).silent = no_descriptor;
    rotate();
    expect_locked_out();
    EXPECT_LE(lockout(), 1s) << "every other connector is unknown";
    EXPECT_FALSE(told(EventKind::drift_unknown));
}

TEST_F(WholeEviction, OfWhatMayBeOursWaitsForTheBusWithAnAlarmEachMinute) {
    foreign_connectors = {thief, neighbour};
    proven = {{b, "earlier", "earlier", our_address}};
    bus_down = true;
    run_on_for(10min);
    EXPECT_THAT(foreign_connectors, ElementsAre(neighbour)) << "the thief is out";
    EXPECT_EQ(file_token, Token::ours);
    EXPECT_THAT(count(EventKind::lockout_blocked), AllOf(Ge(8U), Le(11U)));
    EXPECT_THAT(message(EventKind::lockout_blocked),
                AllOf(HasSubstr("systemd does not answer"), HasSubstr("from 192.0.2.1"),
                      HasSubstr("keyturnctl rotate web --compromised --evict-all")));
    EXPECT_THAT(rotation->view().reason, HasSubstr("--evict-all"));
    bus_down = false;
    run();
    expect_locked_out();
    EXPECT_EQ(restarts(), 2);
}

TEST_F(WholeEviction, OfWhatMayBeOursWaitsForPolkit) {
    foreign_connectors = {neighbour};
    unit(b).silent = late;
    unit(a).refused = true;
    run_on_for(5min);
    EXPECT_FALSE(foreign_connectors.empty());
    EXPECT_TRUE(told(EventKind::lockout_blocked));
    unit(a).refused = false;
    run();
    expect_locked_out();
}

TEST_F(WholeEviction, EverybodyDoesNotWaitForTheBusWhereThatWasAskedFor) {
    foreign_connectors = {neighbour};
    request.evict_all = true;
    bus_down = true;
    run_on_for(1min);
    EXPECT_TRUE(foreign_connectors.empty());
    bus_down = false;
    run();
    expect_locked_out();
}

TEST_F(WholeEviction, LeavesOutUnitsOfOtherTunnelsWithAnAlarm) {
    add_unit(c);
    unit(c).readiness->tunnel = other_tunnel_id;
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(c), 0);
    ASSERT_TRUE(told(EventKind::unit_passed_over));
    EXPECT_EQ(last(EventKind::unit_passed_over)->priority, Priority::alert);
    EXPECT_THAT(message(EventKind::unit_passed_over), HasSubstr(c));
}

TEST_F(WholeEviction, IsRefusedBeforeTheNewSecretWhereNoUnitIsOfThisTunnel) {
    for (const std::string& each : {a, b}) unit(each).readiness->tunnel = other_tunnel_id;
    rotate();
    EXPECT_TRUE(refused());
    EXPECT_EQ(patches, 0);
}

TEST_F(WholeEviction, HoldsNameWhoIsAttachedAndTheCommandThatEndsIt) {
    foreign_come_back = true;
    rotate();
    ASSERT_TRUE(held());
    EXPECT_THAT(hold().text,
                AllOf(HasSubstr("1 connector is connected"), HasSubstr("from 198.51.100.7"),
                      HasSubstr("keyturnctl rotate web --compromised --evict-all")));
}

TEST_F(WholeEviction, TakesInUnitsThatThePolicyNamesSince) {
    add_unit(c);
    order = {a, b};
    foreign_come_back = true;
    rotate();
    ASSERT_TRUE(held());
    order = {a, b, c};  // Corrected, and reloaded.
    foreign_come_back = false;
    retry();
    expect_locked_out();
    EXPECT_EQ(restarts(c), 1);
}

}  // namespace
}  // namespace keyturn
