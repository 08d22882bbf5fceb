#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

using Finish = RotationTest;
using Story = RotationTest;

TEST_F(Finish, WipesTheSecretsAndKeepsTheHistory) {
    rotate();
    ASSERT_TRUE(done());
    EXPECT_FALSE(pending_kept);
    EXPECT_FALSE(disk_record);
    ASSERT_THAT(history, SizeIs(1));
    EXPECT_EQ(outcome(), Outcome::done);
    EXPECT_EQ(history.front().new_fingerprint, "new");
    EXPECT_THAT(history.front().text, HasSubstr("2 units serve with new"));
}

TEST_F(Finish, NamesStragglersAndEnds) {
    start();
    ASSERT_TRUE(run_past("restart " + b));
    ghosts = {listed(rotation->record().connectors_before.front(), "", 1)};
    run();
    ASSERT_TRUE(done());
    EXPECT_THAT(message(EventKind::straggler_seen), HasSubstr("connector-1"));
}

TEST_F(Finish, HoldsWhenAUnitOfTheLastBatchDies) {
    start();
    ASSERT_TRUE(run_past("save finish"));
    unit(b).fail();
    run();
    ASSERT_TRUE(held());
    EXPECT_THAT(hold().text, HasSubstr(b + " was verified and then failed"));
    EXPECT_TRUE(pending_kept) << "the secrets are kept until done";
}

TEST_F(Finish, SeesThatSomebodyElseRotatedLast) {
    once_before("save finish", [&] { api_token = Token::foreign; });
    rotate();
    ASSERT_TRUE(done());
    EXPECT_TRUE(told(EventKind::foreign_rotation));
    EXPECT_EQ(restarts(a), 2) << "on ours, then on theirs";
    EXPECT_EQ(restarts(b), 2);
}

/// A verified unit fails when all are verified: a retry restarts it before the rotation ends.
TEST_F(Finish, LeavesNobodyBehindOnTheWayBackFromAHold) {
    add_unit(c);
    start();
    ASSERT_TRUE(run_past("save finish"));
    unit(a).fail();
    run();
    ASSERT_TRUE(held());
    fail_next("restart " + a, no_right);
    retry();
    ASSERT_EQ(held_for(), HoldReason::not_allowed) << "held again, by the restart";
    retry();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 2);
    EXPECT_EQ(unit(a).token, Token::ours);
}

TEST_F(Finish, HoldsWhenTheApiDoesNotListAUnitOfOurs) {
    start();
    ASSERT_TRUE(run_past("save finish"));
    unit(a).fate = Fate::not_listed;
    run();
    ASSERT_EQ(held_for(), HoldReason::not_listed);
}

TEST_F(Story, IsToldByTheEventsInOrder) {
    rotate();
    std::vector<EventKind> kinds;
    for (const Event& event : events) kinds.push_back(event.kind);
    EXPECT_THAT(
        kinds, ElementsAre(EventKind::rotation_started, EventKind::secret_prepared,
                           EventKind::secret_committed, EventKind::token_delivered,
                           EventKind::batch_started, EventKind::unit_restarting,
                           EventKind::unit_verified, EventKind::soak_started, EventKind::soak_ended,
                           EventKind::batch_started, EventKind::unit_restarting,
                           EventKind::unit_verified, EventKind::rotation_done));
    EXPECT_EQ(events.back().rotation_id, "0123456789abcdef0123456789abcdef");
    EXPECT_EQ(events.back().batch, "2/2");
}

}  // namespace
}  // namespace keyturn
