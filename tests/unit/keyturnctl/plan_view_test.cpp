#include "plan_view.hpp"

#include "samples.hpp"
#include "status_json.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace keyturn {
namespace {

using samples::now;
using testing::HasSubstr;
using testing::Not;

TEST(PlanView, SaysWhenWhyAndInWhichStepsAndDrawsIt) {
    EXPECT_EQ(plan_view({samples::planned()}, now, {100, false}),
              R"(web: 2 units in 2 batches (1 + 1)
    cloudflared-web@a.service, cloudflared-web@b.service
  in 2d     2026-03-03 02:30 UTC to 02:42  due 2026-03-02 02:30 UTC, waits for a window
  in 32d    2026-04-02 02:30 UTC to 02:42  due 2026-04-01 02:30 UTC, waits for a window
  in 62d    2026-05-02 02:30 UTC to 02:42  due 2026-05-01 02:30 UTC, waits for a window

     now                                                                        2026-05-02 02:42 UTC
web  ---#---------------------------------------------#--------------------------------------------#
)");
}

TEST(PlanView, SaysWhatIsOnDemandPausedOrLate) {
    TunnelPlan on_demand = samples::planned();
    on_demand.starts.clear();
    EXPECT_THAT(plan_view({on_demand}, now, {100, false}), HasSubstr("  on demand only\n"));
    EXPECT_THAT(plan_view({on_demand}, now, {100, false}), Not(HasSubstr("---")));
    TunnelPlan late = samples::planned();
    late.paused = true;
    late.starts = {{now - std::chrono::hours{1}, now, now + std::chrono::hours{1}, "due"}};
    const std::string text = plan_view({late}, now, {100, false});
    EXPECT_THAT(text, HasSubstr("paused: no rotation starts until keyturnctl resume"));
    EXPECT_THAT(text, HasSubstr("now       2026-03-01 02:30 UTC to 03:30"));
    EXPECT_THAT(text, HasSubstr("due 2026-03-01 01:30 UTC"));
}

TEST(PlanView, NamesTheFreezeThatPutsAStartOff) {
    TunnelPlan frozen = samples::planned();
    frozen.starts[0].cause = "freeze";
    frozen.starts[0].freeze = "a freeze (year\x1b end)";
    frozen.starts[1].cause = "max_age";
    frozen.starts[1].freeze = "a freeze";
    const std::string text = plan_view({frozen}, now, {120, false});
    EXPECT_THAT(text, HasSubstr("due 2026-03-02 02:30 UTC, postponed by a freeze (year? end)\n"));
    EXPECT_THAT(text, HasSubstr("max_age: too old to wait for a window, postponed by a freeze\n"));
}

TEST(PlanView, ShowsTimesInTheZoneOfThePolicy) {
    TunnelPlan berlin = samples::planned();
    berlin.timezone = "Europe/Berlin";
    TunnelPlan here = samples::planned();
    here.name = "here";
    const std::string text = plan_view({berlin, here}, now, {120, false});
    EXPECT_THAT(text, HasSubstr("web: 2 units"));
    EXPECT_THAT(text, HasSubstr("2026-03-03 03:30 CET to 03:42  due 2026-03-02 03:30 CET"));
    EXPECT_THAT(text, HasSubstr("2026-04-02 04:30 CEST to 04:42"));
    EXPECT_THAT(text, HasSubstr("2026-03-03 02:30 UTC to 02:42")) << "the other tunnel's zone";
}

TEST(PlanView, ShowsTheDateOfAnEndOnAnotherDay) {
    TunnelPlan plan = samples::planned();
    plan.starts[0].end = *plan.starts[0].start + std::chrono::hours{23};
    EXPECT_THAT(plan_view({plan}, now, {120, false}),
                HasSubstr("2026-03-03 02:30 UTC to 2026-03-04 01:30  due"));
}

TEST(PlanView, SaysWhatToDoWhereNoWindowIsLongEnough) {
    TunnelPlan never = samples::planned();
    never.starts = {{now, std::nullopt, std::nullopt, "never"}};
    EXPECT_THAT(plan_view({never}, now, {100, false}), HasSubstr("use longer windows"));
    EXPECT_THAT(plan_view({never}, now, {100, true}), HasSubstr("\x1b[31m"));
}

TEST(PlanView, FitsTheTerminal) {
    TunnelPlan strange = samples::planned();
    strange.name = std::string(70, 'x') + "\x1b[2J";
    for (const std::size_t columns : {20U, 40U, 80U, 300U}) {
        const std::string text = plan_view({samples::planned(), strange}, now, {columns, false});
        EXPECT_THAT(text, Not(HasSubstr("\x1b")));
        std::size_t begin = 0;
        for (std::size_t end = text.find('\n'); end != std::string::npos;
             begin = end + 1, end = text.find('\n', begin)) {
            const std::string line = text.substr(begin, end - begin);
            const bool of_the_picture = line.find("--") != std::string::npos;
            EXPECT_LE(of_the_picture ? columns_of(line) : 0, columns) << line;
        }
    }
}

TEST(PlanJson, HasEverything) {
    TunnelPlan never = samples::planned();
    never.starts.push_back({now, std::nullopt, std::nullopt, "never"});
    const auto document = nlohmann::json::parse(plan_json({never}));
    const auto& plan = document["tunnels"][0];
    EXPECT_EQ(plan["name"], "web");
    EXPECT_EQ(plan["paused"], false);
    EXPECT_EQ(plan["units"].size(), 2U);
    EXPECT_EQ(plan["batches"], (std::vector{1, 1}));
    EXPECT_EQ(plan["starts"][0]["due"], "2026-03-02T02:30:00.000Z");
    EXPECT_EQ(plan["starts"][0]["start"], "2026-03-03T02:30:00.000Z");
    EXPECT_EQ(plan["starts"][0]["end"], "2026-03-03T02:42:00.000Z");
    EXPECT_EQ(plan["starts"][0]["cause"], "window");
    EXPECT_TRUE(plan["starts"][0]["freeze"].is_null());
    EXPECT_TRUE(plan["timezone"].is_null());
    EXPECT_TRUE(plan["starts"][3]["start"].is_null());
}

}  // namespace
}  // namespace keyturn
