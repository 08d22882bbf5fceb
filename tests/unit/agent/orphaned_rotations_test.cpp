#include "agent/orphaned_rotations.hpp"

#include "fakes/matchers.hpp"
#include "fakes/sample_state.hpp"
#include "fakes/sandbox.hpp"
#include "state/state_store.hpp"

namespace keyturn {
namespace {

class OrphansTest : public testing::Test {
  protected:
    std::vector<Event> orphans_beside(const std::string& tunnel) {
        TunnelPolicy policy;
        policy.name = tunnel;
        return orphaned_rotations(*states_, {policy});
    }

    testing_files::Sandbox sandbox_;
    std::unique_ptr<StateStore> states_ = *make_state_store(sandbox_.path());
};

TEST_F(OrphansTest, AreTunnelsWithAnOpenRotationThatThePolicyDoesNotName) {
    ASSERT_TRUE(states_->save("web", sample_state()));
    EXPECT_THAT(orphans_beside("web"), IsEmpty());
    const std::vector<Event> orphans = orphans_beside("renamed");
    ASSERT_THAT(orphans, SizeIs(1));
    EXPECT_EQ(orphans.front().kind, EventKind::rotation_orphaned);
    EXPECT_EQ(orphans.front().tunnel_name, "web");
    EXPECT_EQ(orphans.front().rotation_id, sample_state().rotation->rotation_id);
    EXPECT_THAT(orphans.front().message, HasSubstr("web is not in the policy"));
}

TEST_F(OrphansTest, AreNotTunnelsWithoutAnOpenRotation) {
    TunnelState state = sample_state();
    state.rotation.reset();
    ASSERT_TRUE(states_->save("web", state));
    EXPECT_THAT(orphans_beside("other"), IsEmpty());
}

TEST_F(OrphansTest, AStateThatCannotBeReadIsToldOf) {
    ASSERT_TRUE(states_->save("web", sample_state()));
    testing_files::put(sandbox_ / "state/web.json", "not a state");
    const std::vector<Event> orphans = orphans_beside("other");
    ASSERT_THAT(orphans, SizeIs(1));
    EXPECT_EQ(orphans.front().kind, EventKind::state_unreadable);
}

}  // namespace
}  // namespace keyturn
