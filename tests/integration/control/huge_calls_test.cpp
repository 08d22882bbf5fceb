#include "integration/peers/control_fixture.hpp"

#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The answers must be short: what is copied into an error is copied again into its message.
constexpr std::size_t answer_bytes_max = 300;

class HugeCallsTest : public ControlTest {
  protected:
    void expect_refused(const Message& message, const char* error) {
        const Answer answer = call(stranger_, message);
        EXPECT_EQ(answer.error, error);
        EXPECT_LT(answer.text.size(), answer_bytes_max);
    }

    Message call_of(const char* member) {
        return new_call(stranger_, control_path, manager_interface, member);
    }

    const std::string huge_ = std::string(4'000'000, 'x');
};

TEST_F(HugeCallsTest, ANameIsRefusedBeforeItIsCopied) {
    for (const char* member : {"Retry", "Pause", "Resume", "Revert"}) {
        const Message message = call_of(member);
        sd_bus_message_append(message.get(), "s", huge_.c_str());
        expect_refused(message, SD_BUS_ERROR_LIMITS_EXCEEDED);
    }
    EXPECT_THAT(done_, IsEmpty());
}

TEST_F(HugeCallsTest, SoIsAPropertyThatSdBusWouldQuote) {
    const Message message =
        new_call(stranger_, control_path, "org.freedesktop.DBus.Properties", "Get");
    sd_bus_message_append(message.get(), "ss", huge_.c_str(), huge_.c_str());
    expect_refused(message, SD_BUS_ERROR_LIMITS_EXCEEDED);
}

TEST_F(HugeCallsTest, OptionsAreRefusedAndNotQuoted) {
    const Message reason = call_of("Rotate");
    sd_bus_message_append(reason.get(), "sa{sv}", "web", 1, "reason", "s", huge_.c_str());
    expect_refused(reason, SD_BUS_ERROR_INVALID_ARGS);
    const Message unknown = call_of("Rotate");
    sd_bus_message_append(unknown.get(), "sa{sv}", "web", 1, huge_.c_str(), "b", 1);
    expect_refused(unknown, SD_BUS_ERROR_INVALID_ARGS);
}

TEST_F(HugeCallsTest, ACallThatWouldBeKeptHasEachOptionOnce) {
    const Message message = call_of("Rotate");
    sd_bus_message_append(message.get(), "s", "web");
    sd_bus_message_open_container(message.get(), 'a', "{sv}");
    for (int i = 0; i < 100'000; ++i) {
        sd_bus_message_append(message.get(), "{sv}", "reason", "s", "again and again");
    }
    sd_bus_message_close_container(message.get());
    const Answer answer = call(root_, message);
    EXPECT_EQ(answer.error, SD_BUS_ERROR_INVALID_ARGS);
    EXPECT_THAT(answer.text, HasSubstr("given twice"));
}

}  // namespace
}  // namespace keyturn::testing
