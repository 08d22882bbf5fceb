#include "clock/clock.hpp"
#include "integration/units/fake_systemd.hpp"
#include "units/unit_manager.hpp"

#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* job_one = "/org/freedesktop/systemd1/job/1";

class UnitStopTest : public ::testing::Test {
  protected:
    UnitStopTest() {
        systemd_.units["web.service"] = FakeSystemd::running();
        bus_.client.start();
        EXPECT_TRUE(bus_.turn_until([&] { return !systemd_.calls.empty(); }));
    }

    Result<JobResult> stop(Milliseconds deadline = 5s) {
        return run(bus_.context, manager_->stop("web.service", deadline));
    }

    PrivateBus bus_;
    FakeSystemd systemd_{bus_};
    std::unique_ptr<Clock> clock_ = make_clock(bus_.context.get_executor());
    std::unique_ptr<UnitManager> manager_ =
        make_unit_manager(bus_.client, *clock_, UnitPatience{5s, 5s, 10ms});
};

TEST_F(UnitStopTest, StopsAndResetsNothing) {
    const Result<JobResult> result = stop();
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(*result, JobResult::done);
    EXPECT_THAT(systemd_.calls, ElementsAre("Subscribe", "StopUnit web.service fail"));
}

TEST_F(UnitStopTest, TellsHowTheJobEnded) {
    systemd_.scripts["StopUnit"] = [this](sd_bus_message* call) {
        FakeSystemd::reply_job(call, job_one);
        systemd_.signal_job_removed(job_one, "web.service", "canceled");
    };
    EXPECT_EQ(*stop(), JobResult::canceled);
}

TEST_F(UnitStopTest, DeadlineEndsTheWaitAndNotTheJob) {
    systemd_.scripts["StopUnit"] = [this](sd_bus_message* call) {
        systemd_.units["web.service"]["Job"] = FakeSystemd::job(1, job_one);
        FakeSystemd::reply_job(call, job_one);
    };
    const Result<JobResult> result = stop(45ms);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().fault, Fault::unreachable);
    EXPECT_THAT(result.error().text, HasSubstr("web.service"));
}

TEST_F(UnitStopTest, RefusalSaysWhatToDo) {
    systemd_.scripts["StopUnit"] = [](sd_bus_message* call) {
        FakeSystemd::fail(call, "org.freedesktop.DBus.Error.AccessDenied", "Access denied");
    };
    const Result<JobResult> result = stop();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().fault, Fault::denied);
    EXPECT_THAT(result.error().text, HasSubstr("stop web.service"));
    EXPECT_THAT(result.error().text, HasSubstr("49-keyturn.rules"));
}

}  // namespace
}  // namespace keyturn::testing
