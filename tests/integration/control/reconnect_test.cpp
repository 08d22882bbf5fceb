#include "integration/peers/control_fixture.hpp"

#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using ReconnectTest = ControlTest;

TEST_F(ReconnectTest, IsThereAgainOnANewBus) {
    EXPECT_EQ(rotate(root_).error, "");
    EXPECT_EQ(times_reachable_, 1);
    daemon_.stop();
    ASSERT_TRUE(turn_until(
        [&] { return !service_bus_.connected() && !root_.connected() && !stranger_.connected(); }));
    service_->changed("web");  // Nobody listens; nothing breaks.
    daemon_.start();
    ASSERT_TRUE(turn_until([&] { return root_.connected() && service_bus_.connected(); }));
    ASSERT_TRUE(turn_until([&] { return name_is_owned(); }));
    EXPECT_EQ(retry(root_).error, "");
    EXPECT_THAT(done_, ElementsAre("rotate web 'why' true", "retry web"));
    EXPECT_THAT(reports_, IsEmpty());
    EXPECT_EQ(times_reachable_, 2);
}

TEST_F(ReconnectTest, SaysThatTheNameIsTakenAndGetsItLater) {
    Bus second_bus(context_, daemon_.opener(0));
    tunnels_[0].name = "second";
    ControlHandlers second_handlers = handlers();
    std::vector<std::string> second_reports;
    second_handlers.report = [&](const std::string& sentence) {
        second_reports.push_back(sentence);
    };
    ControlService second(second_bus, second_handlers);
    second_bus.start();
    ASSERT_TRUE(turn_until([&] { return !second_reports.empty(); }));
    EXPECT_THAT(second_reports, ElementsAre(HasSubstr("does not own the bus name "
                                                      "org.keyturn.Keyturn1: another process")));
    service_bus_.stop();
    EXPECT_TRUE(turn_until([&] { return rotate(root_, "second").error.empty(); }));
}

TEST_F(ReconnectTest, SaysThatTheNameWasTakenAway) {
    // As a bus daemon whose policy was changed: the service's own connection gives the name up.
    sd_bus_release_name_async(service_bus_.handle(), nullptr, control_name, nullptr, nullptr);
    service_bus_.kick();
    ASSERT_TRUE(turn_until([&] { return !reports_.empty(); }));
    EXPECT_THAT(reports_, ElementsAre(HasSubstr("taken it away")));
}

}  // namespace
}  // namespace keyturn::testing
