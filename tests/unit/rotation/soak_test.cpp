#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Fate = RotationWorld::Fate;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

/// Calls `disturb` once, `after` this much of the soak.
void in_the_soak(RotationWorld& world, Milliseconds after, std::function<void()> disturb) {
    world.before_action = [&world, after, disturb, begun = std::optional<BootTime>{},
                           disturbed = false](const std::string& action) mutable {
        if (action == "save soak" && !begun) begun = world.now;
        if (!begun || disturbed || world.now - *begun < after) return;
        disturbed = true;
        disturb();
    };
}

TEST(Soak, KeepsTheSecondBatchAwayForItsWholeLength) {
    RotationWorld world({a, b});
    std::optional<BootTime> soak_began;
    std::optional<BootTime> second_restart;
    world.before_action = [&](const std::string& action) {
        if (action == "save soak") soak_began = world.now;
        if (action == "restart " + b) second_restart = world.now;
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    ASSERT_TRUE(soak_began && second_restart);
    EXPECT_GE(*second_restart - *soak_began, 10min);
    EXPECT_LT(*second_restart - *soak_began, 11min);
    EXPECT_EQ(world.count("save soak"), 1U) << "no soak after the last batch";
}

TEST(Soak, HoldsWhenARestartedUnitDies) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::dies_later;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("was verified and then failed"));
    EXPECT_EQ(world.unit(b).restarts, 0);
}

/// As a reboot or an updater would: the unit comes back as another process with the same token.
void replace_process(RotationWorld::Unit& unit, const std::string& name) {
    unit.state.invocation = name;
    unit.readiness->connector_id = name;
}

TEST(Soak, ProvesAUnitAgainWhoseProcessWasReplaced) {
    RotationWorld world({a, b});
    in_the_soak(world, 5min, [&] { replace_process(world.unit(a), "rebooted"); });
    std::optional<BootTime> second_restart;
    const BootTime start = world.now;
    const auto disturb = world.before_action;
    world.before_action = [&, disturb](const std::string& action) {
        if (action == "restart " + b) second_restart = world.now;
        disturb(action);
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_GE(*second_restart - start, 15min) << "the soak began anew";
    EXPECT_EQ(world.history.front().units.front().connector_after, "rebooted");
}

TEST(Soak, HoldsForAUnitThatKeepsBeingReplaced) {
    RotationWorld world({a, b});
    int generation = 0;
    world.before_action = [&](const std::string& action) {
        if (action != "save soak") return;
        replace_process(world.unit(a), "generation-" + std::to_string(++generation));
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("keeps being restarted"));
    world.before_action = nullptr;
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done()) << "retry can leave the hold";
}

TEST(Soak, IsLeftByRetryAfterAVerifiedUnitWasMended) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::dies_later;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    world.unit(a).fate = Fate::comes_up;
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 2);
}

TEST(Soak, OfAnEarlierBatchIsMadeUpForAlsoWhereACrashComesRightAfterItsUnit) {
    RotationWorld world({a, b, c});
    world.policy.rollout.batches = 3;
    world.start();
    ASSERT_TRUE(world.run_until("restart " + c));
    // As a retry leaves it: the unit of the first batch had verified, has failed, and goes again.
    world.crash_and_restart();
    UnitProgress& first = world.disk_record->units[0];
    first.step = UnitStep::restarting;
    first.invocation_before = first.invocation_old = world.unit(a).state.invocation;
    world.disk_record->units[2].step = UnitStep::waiting;
    world.crash_and_restart();
    while (world.disk_record->units[0].step != UnitStep::verified) ASSERT_TRUE(world.step());
    const BootTime verified = world.now;
    world.crash_and_restart();
    ASSERT_TRUE(world.run_until("restart " + c));
    EXPECT_GE(world.now - verified, world.policy.rollout.soak);
}

TEST(Soak, NoticesAForeignRotationBeforeTheNextBatch) {
    RotationWorld world({a, b});
    in_the_soak(world, 5min, [&] { world.api_token = RotationWorld::Token::foreign; });
    world.start();
    world.run();  // RotationWorld aborts on a restart with a token that the API does not hold.
    ASSERT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
    EXPECT_EQ(world.unit(a).restarts, 2) << "on ours, then on theirs";
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Soak, NoticesAForeignRotationWithinAMinute) {
    RotationWorld world({a, b});
    BootTime changed{};
    in_the_soak(world, 90s, [&] {
        changed = world.now;
        world.api_token = RotationWorld::Token::foreign;
    });
    world.start();
    while (!world.told(EventKind::foreign_rotation)) ASSERT_TRUE(world.step());
    EXPECT_LE(world.now - changed, 65s);
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Soak, NoticesAForeignRotationAtTheFirstLostConnection) {
    RotationWorld world({a, b});
    BootTime changed{};
    in_the_soak(world, 90s, [&] {
        changed = world.now;
        world.api_token = RotationWorld::Token::foreign;
        world.unit(b).readiness->connections = 3;
    });
    world.start();
    while (!world.told(EventKind::foreign_rotation)) ASSERT_TRUE(world.step());
    EXPECT_LE(world.now - changed, 15s);
}

TEST(Soak, AsksCloudflareOnceAMinuteWhereNothingHappens) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    const std::size_t before = world.count("read token");
    ASSERT_TRUE(world.run_until("restart " + b));
    EXPECT_LE(world.count("read token") - before, 12U) << "in ten minutes";
}

TEST(Soak, PromotesAUnitThatLostAllConnectionsAtOnce) {
    RotationWorld world({a, b});
    BootTime lost{};
    in_the_soak(world, 1min, [&] {
        lost = world.now;
        world.unit(b).readiness->connections = 0;
    });
    world.start();
    ASSERT_TRUE(world.run_until("restart " + b));
    EXPECT_LE(world.now - lost, 10s);
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Soak, PromotesNobodyWhileTheNetworkIsDown) {
    RotationWorld world({a, b});
    std::optional<BootTime> down;
    world.before_action = [&](const std::string& action) {
        if (action == "save soak" && !down) down = world.now + 1min;
        const bool now_down = down && world.now >= *down && world.now < *down + 25s;
        if (!down || world.now < *down) return;
        for (const std::string& unit : {a, b}) {
            world.unit(unit).readiness->connections = now_down ? 0 : 4;
        }
    };
    world.start();
    ASSERT_TRUE(world.run_until("restart " + b));
    EXPECT_GE(world.now - *down, 10min) << "after a soak that began anew";
    EXPECT_FALSE(world.told(EventKind::replica_promoted));
}

TEST(Soak, ProvesAWaitingUnitAsItIsThatCameBackWithTheNewToken) {
    RotationWorld world({a, b});
    in_the_soak(world, 1min, [&] {
        replace_process(world.unit(b), "brought-back-by-systemd");
        world.unit(b).token = world.file_token;
        world.unit(b).readiness->connections = 1;
    });
    world.start();
    while (!world.told(EventKind::replica_promoted)) ASSERT_TRUE(world.step());
    world.unit(b).readiness->connections = 4;
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::replica_decaying)) << "it gets them back by itself";
    EXPECT_EQ(world.unit(b).restarts, 0);
    EXPECT_EQ(world.history.front().units.back().connector_after, "brought-back-by-systemd");
}

TEST(Soak, TellsWhoIsNextOnceNobodyHasToBeProvenBefore) {
    RotationWorld world({a, b});
    in_the_soak(world, 1min, [&] {
        replace_process(world.unit(a), "rebooted");
        replace_process(world.unit(b), "brought-back-by-systemd");
        world.unit(b).token = world.file_token;
    });
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    std::vector<std::string> told;
    for (const Event& event : world.events) {
        const bool of_both =
            event.kind == EventKind::replica_promoted || event.kind == EventKind::unit_verified;
        if (of_both) told.emplace_back(name_of(event.kind));
    }
    EXPECT_THAT(told,
                ElementsAre("unit_verified", "unit_verified", "replica_promoted", "unit_verified"));
}

TEST(Soak, PassesNoTimeInWhichNobodyLooked) {
    RotationWorld world({a, b});
    in_the_soak(world, 1min, [&] { world.now += 8h; });
    const BootTime start = world.now;
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_GE(world.now - start, 8h + 10min);
}

TEST(Soak, BeginsAnewAfterAShortLackOfConnections) {
    RotationWorld world({a, b});
    std::optional<BootTime> disturbed;
    std::optional<BootTime> second_restart;
    in_the_soak(world, 5min, [&] {
        disturbed = world.now;
        world.unit(a).readiness->connections = 1;  // The next tick of the world mends it.
    });
    const auto disturb = world.before_action;
    world.before_action = [&, disturb](const std::string& action) {
        if (action == "restart " + b) second_restart = world.now;
        disturb(action);
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    ASSERT_TRUE(disturbed && second_restart);
    EXPECT_TRUE(world.told(EventKind::soak_restarted));
    EXPECT_GE(*second_restart - *disturbed, 10min);
}

TEST(Soak, BeginsAnewAfterTheBusWasDown) {
    RotationWorld world({a, b});
    in_the_soak(world, 5min, [&] {
        world.faults.push_back({"sample", {Fault::unreachable, "the bus is down", {}}});
    });
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::soak_restarted));
}

TEST(Soak, TellsThatAWaitingUnitDecays) {
    RotationWorld world({a, b});
    in_the_soak(world, 1min, [&] { world.unit(b).readiness->connections = 3; });
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    ASSERT_TRUE(world.told(EventKind::replica_decaying));
    EXPECT_THAT(world.last(EventKind::replica_decaying)->message, HasSubstr("3 of 4"));
    EXPECT_FALSE(world.told(EventKind::replica_promoted));
}

TEST(Soak, PromotesAWaitingUnitThatLostHalfAndSoaksAnew) {
    RotationWorld world({a, b, c});
    in_the_soak(world, 1min, [&] { world.unit(c).readiness->connections = 2; });
    std::vector<std::string> restarted;
    const auto disturb = world.before_action;
    world.before_action = [&, disturb](const std::string& action) {
        if (action.starts_with("restart ")) restarted.push_back(action.substr(8));
        disturb(action);
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_THAT(restarted, testing::ElementsAre(a, c, b));
    EXPECT_TRUE(world.told(EventKind::replica_promoted));
    EXPECT_EQ(world.count("save soak"), 2U);
}

/// How long after the first soak began the second unit was restarted.
Milliseconds soaked(RotationWorld& world) {
    std::optional<BootTime> began;
    std::optional<BootTime> ended;
    const auto disturb = world.before_action;
    world.before_action = [&, disturb](const std::string& action) {
        if (action == "save soak" && !began) began = world.now;
        if (action == "restart " + b) ended = world.now;
        if (disturb) disturb(action);
    };
    world.start();
    world.run();
    world.before_action = nullptr;
    EXPECT_TRUE(world.done());
    return began && ended ? Milliseconds{*ended - *began} : Milliseconds{0};
}

TEST(AdaptiveSoak, EndsAsSoonAsAllIsBack) {
    RotationWorld world({a, b});
    world.policy.rollout.soak_min = 30s;
    const Milliseconds length = soaked(world);
    EXPECT_GE(length, 30s);
    EXPECT_LT(length, 40s);
    EXPECT_THAT(world.last(EventKind::soak_started)->message, HasSubstr("soaking for 30s to 10m"));
    EXPECT_THAT(world.last(EventKind::soak_ended)->message, HasSubstr("was healthy for 30s"));
}

TEST(AdaptiveSoak, IsNoLongerThanTheLongest) {
    RotationWorld world({a, b});
    world.policy.rollout.soak = 20s;
    world.policy.rollout.soak_min = 5min;
    EXPECT_LT(soaked(world), 30s);
    EXPECT_THAT(world.last(EventKind::soak_started)->message, HasSubstr("soaking for 20s"));
}

TEST(AdaptiveSoak, LastsItsWholeLengthWhereAConnectionIsMissing) {
    RotationWorld world({a, b});
    world.policy.rollout.soak_min = 30s;
    world.unit(a).fate = Fate::one_short;
    EXPECT_GE(soaked(world), 10min);
}

TEST(AdaptiveSoak, LastsItsWholeLengthWhereTheApiDoesNotAnswer) {
    RotationWorld world({a, b});
    world.policy.rollout.soak_min = 30s;
    world.before_action = [&](const std::string& action) {
        const bool soaking = world.disk_record && world.disk_record->phase == Phase::soak;
        if (soaking && action == "list connectors")
            world.faults.push_back({action, {Fault::unreachable, "no answer", {}}});
    };
    EXPECT_GE(soaked(world), 10min);
}

TEST(AdaptiveSoak, LastsItsWholeLengthWhereTheApiDoesNotListTheNewConnector) {
    RotationWorld world({a, b});
    world.policy.rollout.soak_min = 30s;
    world.before_action = [&](const std::string& action) {
        const bool soaking = world.disk_record && world.disk_record->phase == Phase::soak;
        world.unit(a).fate = soaking ? Fate::not_listed : Fate::comes_up;
        static_cast<void>(action);
    };
    EXPECT_GE(soaked(world), 10min);
}

TEST(AdaptiveSoak, BeginsItsShortestLengthAnewAfterADisturbance) {
    RotationWorld world({a, b});
    world.policy.rollout.soak_min = 30s;
    in_the_soak(world, 20s, [&] { world.unit(a).readiness->connections = 1; });
    const Milliseconds length = soaked(world);
    EXPECT_GE(length, 50s);
    EXPECT_LT(length, 1min + 10s);
}

}  // namespace
}  // namespace keyturn
