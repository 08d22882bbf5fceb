#include "integration/peers/control_fixture.hpp"

#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AuthorizationTest : public ControlTest {
  protected:
    void start_polkit(FakePolkit::Mood mood) {
        polkit_ = std::make_unique<FakePolkit>(context_, daemon_);
        polkit_->mood = mood;
        ASSERT_TRUE(turn_until([&] { return polkit_->owns_name; }));
    }

    /// Sends a call and does not wait for its answer.
    void leave_open(Bus& client) {
        const Message message = new_call(client, control_path, manager_interface, "Retry");
        sd_bus_message_append(message.get(), "s", "web");
        sd_bus_send(client.handle(), message.get(), nullptr);
        client.kick();
    }

    /// Whatever this client sent before has been seen by the service: messages keep their order.
    void wait_until_seen(Bus& client) {
        const Message list = new_call(client, control_path, manager_interface, "ListTunnels");
        EXPECT_EQ(call(client, list).error, "");
    }

    std::unique_ptr<Bus> connect(uid_t user) {
        auto client = std::make_unique<Bus>(context_, daemon_.opener(user));
        client->start();
        EXPECT_TRUE(turn_until([&] { return client->connected(); }));
        return client;
    }

    std::unique_ptr<FakePolkit> polkit_;
};

TEST_F(AuthorizationTest, WithoutPolkitOnlyRootMayAct) {
    const Answer answer = rotate(stranger_);
    EXPECT_EQ(answer.error, SD_BUS_ERROR_ACCESS_DENIED);
    EXPECT_THAT(answer.text, HasSubstr("only root may do this, because polkit could not be asked"));
    EXPECT_THAT(done_, IsEmpty());
    EXPECT_EQ(rotate(root_).error, "");
}

TEST_F(AuthorizationTest, RootIsNotAskedFor) {
    start_polkit(FakePolkit::Mood::no);
    EXPECT_EQ(rotate(root_).error, "");
    EXPECT_THAT(polkit_->asked, IsEmpty());
}

TEST_F(AuthorizationTest, WhomPolkitAllowsMayAct) {
    start_polkit(FakePolkit::Mood::yes);
    EXPECT_EQ(rotate(stranger_).error, "");
    EXPECT_EQ(retry(stranger_).error, "");
    EXPECT_THAT(done_, ElementsAre("rotate web 'why' true", "retry web"));
    EXPECT_THAT(polkit_->asked, ElementsAre("org.keyturn.rotate web 0", "org.keyturn.retry web 0"));
}

TEST_F(AuthorizationTest, WhomPolkitRefusesMayNot) {
    start_polkit(FakePolkit::Mood::no);
    const Answer answer = retry(stranger_);
    EXPECT_EQ(answer.error, SD_BUS_ERROR_ACCESS_DENIED);
    EXPECT_EQ(answer.text, "polkit does not allow org.keyturn.retry to this user");
    EXPECT_THAT(done_, IsEmpty());
}

TEST_F(AuthorizationTest, AsksForAPasswordOnlyWhereTheCallerAllowsIt) {
    start_polkit(FakePolkit::Mood::challenge);
    EXPECT_EQ(retry(stranger_).error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
    const Message message = new_call(stranger_, control_path, manager_interface, "Retry");
    sd_bus_message_append(message.get(), "s", "web");
    sd_bus_message_set_allow_interactive_authorization(message.get(), 1);
    EXPECT_EQ(call(stranger_, message).error, SD_BUS_ERROR_ACCESS_DENIED);
    EXPECT_THAT(polkit_->asked, ElementsAre("org.keyturn.retry web 0", "org.keyturn.retry web 1"));
}

TEST_F(AuthorizationTest, OthersAreServedWhilePolkitThinks) {
    start_polkit(FakePolkit::Mood::silent);
    const Message message = new_call(stranger_, control_path, manager_interface, "Retry");
    sd_bus_message_append(message.get(), "s", "web");
    sd_bus_send(stranger_.handle(), message.get(), nullptr);
    stranger_.kick();
    ASSERT_TRUE(turn_until([&] { return !polkit_->asked.empty(); }));
    EXPECT_EQ(rotate(root_).error, "");
    EXPECT_THAT(done_, ElementsAre("rotate web 'why' true"));
    polkit_->answer(true);
    ASSERT_TRUE(turn_until([&] { return done_.size() == 2; }));
    EXPECT_EQ(done_.back(), "retry web");
}

TEST_F(AuthorizationTest, ACrowdOfCallersIsTurnedAway) {
    start_polkit(FakePolkit::Mood::silent);
    for (int caller = 0; caller < 32; ++caller) {
        const Message message = new_call(stranger_, control_path, manager_interface, "Retry");
        sd_bus_message_append(message.get(), "s", "web");
        sd_bus_send(stranger_.handle(), message.get(), nullptr);
    }
    EXPECT_EQ(retry(stranger_).error, SD_BUS_ERROR_LIMITS_EXCEEDED);
    EXPECT_THAT(done_, IsEmpty());
}

TEST_F(AuthorizationTest, RootIsServedHoweverManyCallsOfOthersWait) {
    start_polkit(FakePolkit::Mood::silent);
    std::vector<std::unique_ptr<Bus>> crowd;
    for (int i = 0; i < 20; ++i) {
        crowd.push_back(connect(somebody));
        leave_open(*crowd.back());
        leave_open(*crowd.back());
        wait_until_seen(*crowd.back());
    }
    EXPECT_EQ(rotate(root_).error, "");
    EXPECT_EQ(retry(root_).error, "");
    EXPECT_THAT(done_, ElementsAre("rotate web 'why' true", "retry web"));
}

TEST_F(AuthorizationTest, AUserHasTwoQuestionsOpenAndIsInNobodysWay) {
    start_polkit(FakePolkit::Mood::silent);
    leave_open(stranger_);
    const auto same_user = connect(somebody);
    leave_open(*same_user);
    ASSERT_TRUE(turn_until([&] { return polkit_->asked.size() == 2; }));
    const Answer third = retry(*same_user);
    EXPECT_EQ(third.error, SD_BUS_ERROR_LIMITS_EXCEEDED);
    EXPECT_THAT(third.text, HasSubstr("already being asked about 2 calls of this user"));
    const auto other_user = connect(another);
    leave_open(*other_user);
    EXPECT_TRUE(turn_until([&] { return polkit_->asked.size() == 3; }));
}

TEST_F(AuthorizationTest, ACallerThatLeavesIsForgotten) {
    start_polkit(FakePolkit::Mood::silent);
    auto leaving = connect(somebody);
    leave_open(*leaving);
    leave_open(*leaving);
    ASSERT_TRUE(turn_until([&] { return polkit_->asked.size() == 2; }));
    wait_until_seen(*leaving);
    leaving.reset();
    ASSERT_TRUE(turn_until([&] { return polkit_->asked.size() == 4; }));
    EXPECT_EQ(polkit_->asked.at(2), "cancelled");
    EXPECT_EQ(polkit_->asked.at(3), "cancelled");
    leave_open(stranger_);
    EXPECT_TRUE(turn_until([&] { return polkit_->asked.size() == 5; }));
    EXPECT_THAT(done_, IsEmpty());
}

TEST_F(AuthorizationTest, NothingIsDoneForACallWhoseServiceEnded) {
    start_polkit(FakePolkit::Mood::silent);
    const Message message = new_call(stranger_, control_path, manager_interface, "Retry");
    sd_bus_message_append(message.get(), "s", "web");
    sd_bus_send(stranger_.handle(), message.get(), nullptr);
    stranger_.kick();
    ASSERT_TRUE(turn_until([&] { return !polkit_->asked.empty(); }));
    service_.reset();
    polkit_->answer(true);
    EXPECT_TRUE(name_is_owned()) << "the loop still turns";
    EXPECT_THAT(done_, IsEmpty());
}

}  // namespace
}  // namespace keyturn::testing
