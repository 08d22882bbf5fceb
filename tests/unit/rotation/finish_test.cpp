#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <utility>

namespace keyturn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

TEST(Finish, WipesTheSecretsAndKeepsTheHistory) {
    RotationWorld world({a, b});
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_FALSE(world.pending_kept);
    EXPECT_FALSE(world.disk_record.has_value());
    ASSERT_EQ(world.history.size(), 1U);
    EXPECT_EQ(world.history.front().outcome, Outcome::done);
    EXPECT_EQ(world.history.front().new_fingerprint, "new");
    EXPECT_THAT(world.history.front().text, HasSubstr("2 units serve with new"));
}

TEST(Finish, NamesStragglersAndEnds) {
    RotationWorld world({a, b});
    world.start();
    while (world.count("restart " + b) == 0) world.step();
    world.ghosts.push_back({world.rotation->record().connectors_before.front(), "", "", "", 1});
    world.run();
    ASSERT_TRUE(world.done());
    ASSERT_TRUE(world.told(EventKind::straggler_seen));
    EXPECT_THAT(world.last(EventKind::straggler_seen)->message, HasSubstr("connector-1"));
}

TEST(Finish, HoldsWhenAUnitOfTheLastBatchDies) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action != "wait" || world.count("save finish") == 0) return;
        world.unit(b).state.active_state = world.unit(b).state.sub_state = "failed";
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr(b + " was verified and then failed"));
    EXPECT_TRUE(world.pending_kept) << "the secrets are kept until done";
}

TEST(Finish, SeesThatSomebodyElseRotatedLast) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "save finish" && world.count("save finish") == 0) {
            world.api_token = RotationWorld::Token::foreign;
        }
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
    EXPECT_EQ(world.unit(a).restarts, 2) << "on ours, then on theirs";
    EXPECT_EQ(world.unit(b).restarts, 2);
}

/// A unit that had verified fails once all have: what a retry of that needs is done before the end.
TEST(Finish, LeavesNobodyBehindOnTheWayBackFromAHold) {
    RotationWorld world({a, b, c});
    bool died = false;
    world.before_action = [&](const std::string& action) {
        if (action != "wait" || world.count("save finish") == 0 || std::exchange(died, true))
            return;
        world.unit(a).state.active_state = world.unit(a).state.sub_state = "failed";
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    world.faults.push_back({"restart " + a, {Fault::denied, "polkit does not allow it", {}}});
    world.start(true);
    world.run();
    ASSERT_TRUE(world.held()) << "held again, by the restart";
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::not_allowed);
    world.start(true);
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 2);
    EXPECT_EQ(world.unit(a).token, RotationWorld::Token::ours);
}

TEST(Finish, HoldsWhenTheApiDoesNotListAUnitOfOurs) {
    RotationWorld world({a, b});
    world.start();
    while (world.count("save finish") == 0) world.step();
    world.unit(a).fate = RotationWorld::Fate::not_listed;
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::not_listed);
}

TEST(Story, IsToldByTheEventsInOrder) {
    RotationWorld world({a, b});
    world.start();
    world.run();
    std::vector<EventKind> kinds;
    for (const Event& event : world.events) kinds.push_back(event.kind);
    EXPECT_THAT(
        kinds, ElementsAre(EventKind::rotation_started, EventKind::secret_prepared,
                           EventKind::secret_committed, EventKind::token_delivered,
                           EventKind::batch_started, EventKind::unit_restarting,
                           EventKind::unit_verified, EventKind::soak_started, EventKind::soak_ended,
                           EventKind::batch_started, EventKind::unit_restarting,
                           EventKind::unit_verified, EventKind::rotation_done));
    EXPECT_EQ(world.events.back().rotation_id, "0123456789abcdef0123456789abcdef");
    EXPECT_EQ(world.events.back().batch, "2/2");
}

}  // namespace
}  // namespace keyturn
