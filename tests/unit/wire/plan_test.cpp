#include "unit/wire/bus_message.hpp"
#include "wire/plan_type.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::BusMessage;

/// A plan in which no member has its default value.
TunnelPlan full_plan() {
    TunnelPlan plan;
    plan.name = "web";
    plan.units = {"cloudflared-web@a.service", "cloudflared-web@b.service"};
    plan.batches = {1, 2};
    const WallTime due{1772332200123ms};
    plan.starts = {{due, due + 60s, due + 120s, "freeze", "a freeze (year end)"},
                   {due + 1h, std::nullopt, std::nullopt, "never", ""}};
    plan.paused = true;
    plan.timezone = "Europe/Berlin";
    return plan;
}

TEST(PlanMessage, BringsEveryMemberToTheOtherSide) {
    // A new member breaks these lines. It needs a place in the message.
    const TunnelPlan plan = full_plan();
    const auto& [name, units, batches, starts, paused, timezone] = plan;
    const auto& [due, start, end, cause, freeze] = starts.at(0);
    ASSERT_TRUE(start && end && paused && due > WallTime{});
    for (const std::string* text : {&name, &timezone, &cause, &freeze}) ASSERT_NE(*text, "");
    ASSERT_FALSE(units.empty() || batches.empty());

    BusMessage message;
    const std::vector<TunnelPlan> sent{plan, TunnelPlan{}};
    ASSERT_GE(PlansType::append(message.get(), sent), 0);
    std::vector<TunnelPlan> read;
    ASSERT_GE(PlansType::read(message.sent(), read), 0);
    EXPECT_EQ(read, sent);
}

TEST(PlanMessage, MayBeEmpty) {
    BusMessage message;
    ASSERT_GE(PlansType::append(message.get(), {}), 0);
    std::vector<TunnelPlan> read{TunnelPlan{}};
    ASSERT_GE(PlansType::read(message.sent(), read), 0);
    EXPECT_THAT(read, ::testing::IsEmpty());
}

TEST(PlanMessage, HasTheTypeAndOrderThatProgramsRelyOn) {
    EXPECT_STREQ(PlansType::signature.text, "a(sbsasaia(tttss))");
    BusMessage message;
    ASSERT_GE(PlansType::append(message.get(), {full_plan()}), 0);
    EXPECT_STREQ(sd_bus_message_get_signature(message.sent(), 1), "a(sbsasaia(tttss))");
    EXPECT_EQ(testing::text_of(message.get()),
              "[[web 1 Europe/Berlin [cloudflared-web@a.service cloudflared-web@b.service] [1 2] "
              "[[1772332200123000 1772332260123000 1772332320123000 freeze a freeze (year end)] "
              "[1772335800123000 0 0 never ]]]]");
}

TEST(PlanMessage, OfAnotherTypeIsRefused) {
    BusMessage message;
    ASSERT_GE(sd_bus_message_append(message.get(), "a(sb)", 1, "web", 1), 0);
    std::vector<TunnelPlan> read;
    EXPECT_LT(PlansType::read(message.sent(), read), 0);
}

}  // namespace
}  // namespace keyturn
