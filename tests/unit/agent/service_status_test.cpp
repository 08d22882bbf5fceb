#include "agent/service_status.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TunnelStatus idle(const std::string& name) {
    TunnelStatus status;
    status.name = name;
    status.state = "idle";
    return status;
}

TEST(ServiceStatus, SaysWhatIsNext) {
    EXPECT_EQ(service_status({idle("web")}), "1 tunnel, rotated on demand only");
    TunnelStatus later = idle("shop");
    later.due = WallTime{std::chrono::seconds{1'772'332'200}};
    TunnelStatus sooner = idle("blog");
    sooner.due = WallTime{std::chrono::seconds{1'772'245'800}};
    EXPECT_EQ(service_status({idle("web"), later, sooner}),
              "3 tunnels, next: blog due 2026-02-28T02:30:00Z");
}

TEST(ServiceStatus, SaysWhatIsDoneNow) {
    TunnelStatus status = idle("web");
    status.state = "running";
    status.phase = "soak";
    status.batch = 1;
    status.batch_count = 2;
    status.step_ends = WallTime{std::chrono::seconds{1'772'332'200}};
    EXPECT_EQ(service_status({status}), "web: soak batch 1/2 until 2026-03-01T02:30:00Z");
}

TEST(ServiceStatus, PutsHoldsFirst) {
    TunnelStatus waiting = idle("shop");
    waiting.state = "waiting";
    waiting.reason = "the API is down";
    TunnelStatus held = idle("web");
    held.state = "held";
    held.reason = "a unit did not come back";
    EXPECT_EQ(service_status({waiting, held}),
              "web HELD: a unit did not come back; shop is waiting: the API is down");
}

TEST(ServiceStatus, CountsFindingsAndNamesTheFirst) {
    TunnelStatus web = idle("web");
    web.findings = {"the API token is refused"};
    EXPECT_EQ(service_status({idle("shop"), web}),
              "2 tunnels, rotated on demand only; 1 finding: web: the API token is refused");
    TunnelStatus held = idle("blog");
    held.state = "held";
    held.reason = "a unit did not come back";
    held.findings = {"a stranger", "another one"};
    EXPECT_EQ(service_status({web, held}),
              "blog HELD: a unit did not come back; "
              "3 findings, first: web: the API token is refused");
}

TEST(ServiceStatus, StaysShortEnoughForSystemd) {
    std::vector<TunnelStatus> many(1000, idle("web"));
    for (TunnelStatus& tunnel : many) {
        tunnel.state = "held";
        tunnel.reason = std::string(9999, 'x');
        tunnel.findings = {std::string(9999, 'y')};
    }
    const std::string status = service_status(many);
    EXPECT_LT(status.size(), 4000U);
    EXPECT_NE(status.find("...; 995 more; 1000 findings, first: web: yyy"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
