#include "clock/clock.hpp"
#include "integration/units/fake_systemd.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* job_one = "/org/freedesktop/systemd1/job/1";
constexpr const char* job_two = "/org/freedesktop/systemd1/job/2";

class UnitRestartTest : public ::testing::Test {
  protected:
    UnitRestartTest() {
        systemd_.units["web.service"] = FakeSystemd::running();
        bus_.client.start();
        EXPECT_TRUE(bus_.turn_until([&] { return !systemd_.calls.empty(); }));
    }

    Result<RestartResult> restart(Milliseconds deadline = 5s,
                                  RestartVerb verb = RestartVerb::try_restart) {
        return run(bus_.context, manager_->restart("web.service", verb, deadline));
    }

    /// A restart whose job is created and does not end by itself.
    void keep_the_job_running() {
        systemd_.scripts["TryRestartUnit"] = [this](sd_bus_message* call) {
            systemd_.units["web.service"]["Job"] = FakeSystemd::job(1, job_one);
            FakeSystemd::reply_job(call, job_one);
            restarting_ = true;
        };
    }

    void answer_with(const char* member, const char* error, const char* message) {
        systemd_.scripts[member] = [=](sd_bus_message* call) {
            FakeSystemd::fail(call, error, message);
        };
    }

    PrivateBus bus_;
    FakeSystemd systemd_{bus_};
    std::unique_ptr<Clock> clock_ = make_clock(bus_.context.get_executor());
    std::unique_ptr<UnitManager> manager_ =
        make_unit_manager(bus_.client, *clock_, UnitPatience{5s, 5s, 10ms});
    bool restarting_ = false;
};

TEST_F(UnitRestartTest, SubscribesResetsAndRestarts) {
    const Result<RestartResult> result = restart();
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(*result, JobResult::done);
    EXPECT_THAT(systemd_.calls, ElementsAre("Subscribe", "ResetFailedUnit web.service",
                                            "TryRestartUnit web.service fail"));
}

TEST_F(UnitRestartTest, UsesTheVerbItIsTold) {
    ASSERT_TRUE(restart(5s, RestartVerb::restart));
    EXPECT_EQ(systemd_.calls.back(), "RestartUnit web.service fail");
}

TEST_F(UnitRestartTest, HearsAJobThatEndedBeforeTheReply) {
    systemd_.scripts["TryRestartUnit"] = [this](sd_bus_message* call) {
        systemd_.signal_job_removed(job_one, "web.service", "failed");
        FakeSystemd::reply_job(call, job_one);
    };
    // Without the memory of what came early this would end at the first look, with `done`.
    EXPECT_EQ(*restart(), JobResult::failed);
}

TEST_F(UnitRestartTest, TellsTheResultsApart) {
    const std::vector<std::pair<const char*, JobResult>> words{
        {"done", JobResult::done},       {"canceled", JobResult::canceled},
        {"timeout", JobResult::timeout}, {"failed", JobResult::failed},
        {"skipped", JobResult::skipped}, {"dependency", JobResult::dependency},
        {"assert", JobResult::other},    {"from-the-future", JobResult::other}};
    for (const auto& [word, expected] : words) {
        systemd_.scripts["TryRestartUnit"] = [this, text = word](sd_bus_message* call) {
            FakeSystemd::reply_job(call, job_one);
            systemd_.signal_job_removed(job_one, "web.service", text);
        };
        EXPECT_EQ(*restart(), expected) << word;
    }
}

TEST_F(UnitRestartTest, OtherJobsAreNotOurs) {
    systemd_.scripts["TryRestartUnit"] = [this](sd_bus_message* call) {
        systemd_.signal_job_removed(job_two, "web.service", "failed");
        FakeSystemd::reply_job(call, job_one);
        systemd_.signal_job_removed(job_two, "web.service", "canceled");
        systemd_.signal_job_removed(job_one, "web.service", "skipped");
    };
    EXPECT_EQ(*restart(), JobResult::skipped);
}

TEST_F(UnitRestartTest, SignalOfSomebodyElseIsNotBelieved) {
    systemd_.scripts["TryRestartUnit"] = [this](sd_bus_message* call) {
        systemd_.signal_job_removed(job_one, "web.service", "failed", ":1.666");
        FakeSystemd::reply_job(call, job_one);
        systemd_.signal_job_removed(job_one, "web.service", "failed", ":1.666");
        systemd_.signal_job_removed(job_one, "web.service", "canceled");
    };
    EXPECT_EQ(*restart(), JobResult::canceled);
}

TEST_F(UnitRestartTest, DeadlineEndsTheWaitAndNotTheJob) {
    keep_the_job_running();
    const auto start = std::chrono::steady_clock::now();
    const Result<RestartResult> result = restart(45ms);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().fault, Fault::unreachable);
    EXPECT_THAT(result.error().text, HasSubstr("did not end in time"));
    EXPECT_GE(std::chrono::steady_clock::now() - start, 44ms);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST_F(UnitRestartTest, LostSignalIsMadeUpForByLooking) {
    systemd_.scripts["TryRestartUnit"] = [](sd_bus_message* call) {
        FakeSystemd::reply_job(call, job_one);
    };
    EXPECT_EQ(*restart(), JobResult::done);
    EXPECT_EQ(systemd_.calls.back(), "GetAll web.service");
    systemd_.units["web.service"]["SubState"] = FakeSystemd::text("auto-restart");
    systemd_.units["web.service"]["ActiveState"] = FakeSystemd::text("activating");
    EXPECT_EQ(*restart(), JobResult::other);
}

TEST_F(UnitRestartTest, ReexecutedSystemdHasANewName) {
    systemd_.scripts["TryRestartUnit"] = [this](sd_bus_message* call) {
        systemd_.signal_job_removed(job_one, "web.service", "failed", ":1.77");
        systemd_.signal_new_owner(":1.77");
        systemd_.signal_job_removed(job_one, "web.service", "timeout", ":1.77");
        FakeSystemd::reply_job(call, job_one);
    };
    EXPECT_EQ(*restart(), JobResult::timeout);
}

TEST_F(UnitRestartTest, LookThatFailsDoesNotEndTheWait) {
    keep_the_job_running();
    int looks = 0;
    systemd_.scripts["GetAll"] = [&](sd_bus_message* call) {
        FakeSystemd::fail(call, "org.example.Odd", "odd");
        if (++looks == 2) systemd_.signal_job_removed(job_one, "web.service", "done");
    };
    EXPECT_EQ(*restart(), JobResult::done);
    EXPECT_EQ(looks, 2);
}

TEST_F(UnitRestartTest, BusThatDiesMidWaitIsUnreachableAndComesBack) {
    keep_the_job_running();
    std::optional<Result<RestartResult>> result;
    boost::asio::co_spawn(bus_.context,
                          manager_->restart("web.service", RestartVerb::try_restart, 8s),
                          [&](std::exception_ptr failure, Result<RestartResult> value) {
                              EXPECT_FALSE(failure);
                              result.emplace(std::move(value));
                          });
    ASSERT_TRUE(bus_.turn_until([&] { return restarting_; }));
    bus_.turn(2ms);
    bus_.kill_peer();
    ASSERT_TRUE(bus_.turn_until([&] { return result.has_value(); }));
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().fault, Fault::unreachable);
    EXPECT_THAT(result->error().text,
                HasSubstr("the bus connection broke while the job of web.service"));

    systemd_.scripts.clear();
    systemd_.calls.clear();
    ASSERT_TRUE(bus_.turn_until([&] { return !systemd_.calls.empty(); }));
    EXPECT_EQ(systemd_.calls.front(), "Subscribe");
    EXPECT_EQ(*restart(), JobResult::done);
}

TEST_F(UnitRestartTest, UnitThatIsNotInMemoryHasNoCounterToReset) {
    answer_with("ResetFailedUnit", "org.freedesktop.systemd1.NoSuchUnit",
                "Unit web.service not loaded.");
    EXPECT_EQ(*restart(), JobResult::done);
}

TEST_F(UnitRestartTest, ARestartGoesOnWhereTheCounterMayNotBeReset) {
    answer_with("ResetFailedUnit", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                "Interactive authentication required.");
    const Result<RestartResult> result = restart();
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(*result, JobResult::done);
    EXPECT_THAT(result->not_reset, HasSubstr("reset-failed web.service"));
    EXPECT_THAT(result->not_reset, HasSubstr("/etc/polkit-1/rules.d/49-keyturn.rules"));
    answer_with("ResetFailedUnit", "org.freedesktop.systemd1.UnitMasked",
                "Unit polkit.service is masked.");
    EXPECT_EQ(restart().error().fault, Fault::busy) << "nothing is restarted";
    EXPECT_EQ(systemd_.calls.back(), "ResetFailedUnit web.service");
}

TEST_F(UnitRestartTest, RefusalsAreFaultsWithARemedy) {
    struct Case {
        const char* name;
        const char* message;
        Fault fault;
        const char* remedy;
    };
    const std::vector<Case> cases{
        {"org.freedesktop.DBus.Error.AccessDenied", "Access denied", Fault::denied,
         "49-keyturn.rules"},
        {"org.freedesktop.systemd1.UnitMasked", "Unit web.service is masked.", Fault::missing,
         "systemctl unmask web.service"},
        {"org.freedesktop.systemd1.UnitMasked", "Unit polkit.service is masked.", Fault::busy,
         "systemctl status polkit.service"},
        {"org.freedesktop.systemd1.NoSuchUnit", "Unit web.service not found.", Fault::missing,
         "there is no unit web.service"},
        {"org.freedesktop.systemd1.TransactionIsDestructive", "destructive", Fault::conflict,
         "systemctl list-jobs"},
        {"org.freedesktop.DBus.Error.NoReply", "polkit is slow", Fault::unreachable,
         "polkit is slow"},
    };
    for (const Case& expected : cases) {
        answer_with("TryRestartUnit", expected.name, expected.message);
        const Result<RestartResult> result = restart();
        ASSERT_FALSE(result) << expected.name;
        EXPECT_EQ(result.error().fault, expected.fault) << expected.message;
        EXPECT_THAT(result.error().text, HasSubstr(expected.remedy));
    }
}

TEST_F(UnitRestartTest, RestartThatIsNotWaitedForIsQueued) {
    keep_the_job_running();
    EXPECT_EQ(*restart(0ms), JobResult::queued);
    EXPECT_EQ(systemd_.calls.back(), "TryRestartUnit web.service fail");
}

TEST_F(UnitRestartTest, RestartThatIsNotWaitedForMayBeRefused) {
    answer_with("TryRestartUnit", "org.freedesktop.DBus.Error.AccessDenied", "Access denied");
    EXPECT_EQ(restart(0ms).error().fault, Fault::denied);
}

TEST_F(UnitRestartTest, ReplyWithoutAJobIsInvalid) {
    systemd_.scripts["TryRestartUnit"] = [](sd_bus_message* call) {
        sd_bus_reply_method_return(call, "s", "job");
    };
    EXPECT_EQ(restart().error().fault, Fault::invalid);
}

TEST_F(UnitRestartTest, CancellationLeavesTheWait) {
    keep_the_job_running();
    boost::asio::cancellation_signal signal;
    bool aborted = false;
    boost::asio::co_spawn(
        bus_.context, manager_->restart("web.service", RestartVerb::try_restart, 8s),
        boost::asio::bind_cancellation_slot(
            signal.slot(), [&](std::exception_ptr failure, Result<RestartResult>) {
                try {
                    if (failure) std::rethrow_exception(failure);
                } catch (const boost::system::system_error& error) {
                    aborted = error.code() == boost::asio::error::operation_aborted;
                }
            }));
    ASSERT_TRUE(bus_.turn_until([&] { return restarting_; }));
    bus_.turn(2ms);
    signal.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(bus_.turn_until([&] { return aborted; }));
}

TEST_F(UnitRestartTest, TwoUnitsAreRestartedAtOnce) {
    systemd_.scripts["TryRestartUnit"] = [this](sd_bus_message* call) {
        const char* unit = nullptr;
        sd_bus_message_read_basic(call, 's', &unit);
        const bool is_web = std::string_view(unit) == "web.service";
        FakeSystemd::reply_job(call, is_web ? job_one : job_two);
        if (is_web) return;
        systemd_.signal_job_removed(job_two, unit, "failed");
        systemd_.signal_job_removed(job_one, "web.service", "done");
    };
    std::map<std::string, JobResult> results;
    for (const char* unit : {"web.service", "api.service"}) {
        boost::asio::co_spawn(bus_.context, manager_->restart(unit, RestartVerb::try_restart, 8s),
                              [&results, unit](std::exception_ptr, Result<RestartResult> value) {
                                  if (value) results[unit] = value->result;
                              });
    }
    ASSERT_TRUE(bus_.turn_until([&] { return results.size() == 2; }));
    EXPECT_EQ(results["web.service"], JobResult::done);
    EXPECT_EQ(results["api.service"], JobResult::failed);
}

TEST_F(UnitRestartTest, ManagerMayGoBeforeTheBus) {
    manager_.reset();
    bus_.kill_peer();
    EXPECT_TRUE(bus_.turn_until([&] { return bus_.attempts == 2 && bus_.client.connected(); }));
}

}  // namespace
}  // namespace keyturn::testing
