#include "clock/clock.hpp"
#include "integration/units/fake_systemd.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>

#include <optional>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What polkit would say, asked without touching anything.
class PermissionTest : public ::testing::Test {
  protected:
    PermissionTest() {
        bus_.client.start();
        EXPECT_TRUE(bus_.turn_until([&] { return !systemd_.calls.empty(); }));
        systemd_.calls.clear();  // Subscribe
    }

    Result<Permission> may(UnitVerb verb = UnitVerb::try_restart) {
        return run(bus_.context, manager_->may("web.service", verb));
    }

    void answer_with(const char* member, const char* error, const char* message = "") {
        systemd_.scripts[member] = [=](sd_bus_message* call) {
            FakeSystemd::fail(call, error, message);
        };
    }

    PrivateBus bus_;
    FakeSystemd systemd_{bus_};
    std::unique_ptr<Clock> clock_ = make_clock(bus_.context.get_executor());
    std::unique_ptr<UnitManager> manager_ =
        make_unit_manager(bus_.client, *clock_, UnitPatience{5s, 5s, 10ms, 5s});
};

TEST_F(PermissionTest, AsksInModesThatSystemdRefusesAfterPolkit) {
    EXPECT_EQ(*may(UnitVerb::try_restart), Permission::granted);
    EXPECT_EQ(*may(UnitVerb::restart), Permission::granted);
    EXPECT_EQ(*may(UnitVerb::stop), Permission::granted);
    EXPECT_THAT(systemd_.calls,
                ElementsAre("TryRestartUnit web.service triggering",
                            "RestartUnit web.service triggering", "StopUnit web.service isolate"));
}

TEST_F(PermissionTest, TellsARefusalOfPolkitFromOneOfTheUnit) {
    for (const char* name : {"org.freedesktop.DBus.Error.AccessDenied",
                             "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"}) {
        answer_with("TryRestartUnit", name);
        EXPECT_EQ(*may(), Permission::refused) << name;
    }
    answer_with("TryRestartUnit", "org.freedesktop.systemd1.OnlyByDependency");
    EXPECT_EQ(*may(), Permission::not_by_hand);
}

TEST_F(PermissionTest, APolkitThatIsNotThereIsNoRefusal) {
    answer_with("TryRestartUnit", "org.freedesktop.DBus.Error.AccessDenied");
    answer_with("StartServiceByName", "org.freedesktop.DBus.Error.ServiceUnknown");
    const Result<Permission> answer = may();
    ASSERT_FALSE(answer);
    EXPECT_TRUE(passes_by_itself(answer.error().fault));
    EXPECT_THAT(answer.error().text, HasSubstr("install polkitd"));
    EXPECT_EQ(systemd_.calls.back(), "StartServiceByName org.freedesktop.PolicyKit1");
    const Result<RestartResult> restarted =
        run(bus_.context, manager_->restart("web.service", RestartVerb::try_restart, 5s));
    ASSERT_FALSE(restarted);
    EXPECT_EQ(restarted.error().fault, Fault::busy);
}

TEST_F(PermissionTest, EverythingElseIsNotKnown) {
    for (const char* name :
         {"org.freedesktop.systemd1.UnitMasked", "org.freedesktop.systemd1.NoSuchUnit",
          "org.freedesktop.PolicyKit1.Error.Failed", "org.freedesktop.DBus.Error.NoReply",
          "org.example.Odd"}) {
        answer_with("TryRestartUnit", name, "Unit polkit.service is masked.");
        const Result<Permission> answer = may();
        ASSERT_FALSE(answer) << name;
        EXPECT_TRUE(passes_by_itself(answer.error().fault)) << name;
    }
    systemd_.scripts["TryRestartUnit"] = [](sd_bus_message* call) {
        FakeSystemd::reply_job(call, "/org/freedesktop/systemd1/job/1");
    };
    EXPECT_TRUE(passes_by_itself(may().error().fault)) << "it was carried out";
}

TEST_F(PermissionTest, ASilentPolkitIsNotWaitedForLong) {
    systemd_.scripts["TryRestartUnit"] = [](sd_bus_message*) {};
    manager_ = make_unit_manager(bus_.client, *clock_, UnitPatience{5s, 5s, 10ms, 60ms});
    EXPECT_EQ(may().error().fault, Fault::unreachable);
}

TEST_F(PermissionTest, AsksOneAtATimeAndAllWhoWaitShareASilence) {
    answer_with("TryRestartUnit", "org.freedesktop.DBus.Error.NoReply");
    std::vector<Result<Permission>> answers;
    for (int i = 0; i < 50; ++i) {
        boost::asio::co_spawn(bus_.context, manager_->may("web.service", UnitVerb::try_restart),
                              [&](const std::exception_ptr&, Result<Permission> answer) {
                                  answers.push_back(std::move(answer));
                              });
    }
    EXPECT_TRUE(bus_.turn_until([&] { return answers.size() == 50; }));
    for (const Result<Permission>& answer : answers)
        EXPECT_EQ(answer.error().fault, Fault::unreachable);
    EXPECT_THAT(systemd_.calls, ElementsAre("TryRestartUnit web.service triggering"));
    systemd_.scripts.clear();
    const Result<Permission> anew = may();
    ASSERT_TRUE(anew) << anew.error().text;
    EXPECT_EQ(*anew, Permission::granted);
}

}  // namespace
}  // namespace keyturn::testing
