#include "wire/requests.hpp"

#include "unit/wire/bus_message.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

using testing::BusMessage;

std::string options_of(const RotationRequest& request) {
    BusMessage message;
    EXPECT_GE(append_options(message.get(), request), 0);
    return testing::text_of(message.sent());
}

TEST(RotateOptions, AreWhatAnOperatorMayAskFor) {
    const RotationRequest full{RotationKind::compromise, "laptop lost", true, true, true, {}};
    // A new member makes this fail to compile: does it need an option?
    const auto& [kind, trigger, scheduled, accept_gap, evict_all, units] = full;
    ASSERT_TRUE(units.empty() && !trigger.empty() && scheduled && accept_gap && evict_all);
    EXPECT_EQ(options_of(full),
              "[[reason [laptop lost]] [accept_gap [1]] [compromised [1]] [evict_all [1]]]")
        << "scheduled is for the schedule alone";
    EXPECT_EQ(options_of(RotationRequest{.kind = kind}),
              "[[reason []] [accept_gap [0]] [compromised [1]] [evict_all [0]]]");
    EXPECT_EQ(options_of(RotationRequest()),
              "[[reason []] [accept_gap [0]] [compromised [0]] [evict_all [0]]]");
}

TEST(RotateOptions, NameTheUnitsThatMove) {
    RotationRequest request{.kind = RotationKind::adopt, .units = {"a.service", "b.service"}};
    EXPECT_EQ(options_of(request),
              "[[reason []] [accept_gap [0]] [compromised [0]] [evict_all [0]] [adopt [1]] "
              "[units [[a.service b.service]]]]");
    request = {.kind = RotationKind::release};
    EXPECT_EQ(options_of(request),
              "[[reason []] [accept_gap [0]] [compromised [0]] [evict_all [0]] [release [1]]]")
        << "an earlier keyturnd knows none of these options";
}

TEST(RotateOptions, ThatAreNoTextAreAnError) {
    BusMessage message;
    EXPECT_LT(append_options(message.get(), RotationRequest{.trigger = "cut \xE2\x86"}), 0);
}

TEST(Decision, HasAMethodAndAnActionOfItsOwn) {
    EXPECT_STREQ(method_of(Decision::retry).name, "Retry");
    EXPECT_STREQ(method_of(Decision::pause).name, "Pause");
    EXPECT_STREQ(method_of(Decision::resume).name, "Resume");
    EXPECT_STREQ(method_of(Decision::revert).name, "Revert");
    EXPECT_STREQ(method_of(Decision::revert).polkit_action, "org.keyturn.revert");
}

}  // namespace
}  // namespace keyturn
