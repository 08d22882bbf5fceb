#include "units/unit_manager.hpp"

#include "clock/clock.hpp"
#include "integration/units/fake_systemd.hpp"

#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Reading: states, settings, lists.
class UnitManagerTest : public ::testing::Test {
  protected:
    UnitManagerTest() {
        bus_.client.start();
        EXPECT_TRUE(bus_.turn_until([&] { return !systemd_.calls.empty(); }));
        systemd_.calls.clear();  // Subscribe
    }

    Result<UnitState> state(std::string unit) {
        return run(bus_.context, manager_->state(std::move(unit)));
    }
    Result<UnitSettings> settings(std::string unit) {
        return run(bus_.context, manager_->settings(std::move(unit)));
    }
    Result<std::vector<NamedUnit>> expand(std::vector<std::string> patterns) {
        return run(bus_.context, manager_->expand(std::move(patterns)));
    }
    static NamedUnit plain(const std::string& name) { return NamedUnit{name, {name}}; }

    PrivateBus bus_;
    FakeSystemd systemd_{bus_};
    std::unique_ptr<Clock> clock_ = make_clock(bus_.context.get_executor());
    std::unique_ptr<UnitManager> manager_ =
        make_unit_manager(bus_.client, *clock_, UnitPatience{5s, 5s, 10ms});
};

TEST_F(UnitManagerTest, ReadsTheStateInOneCall) {
    systemd_.units["web@1.service"] = FakeSystemd::running();
    const Result<UnitState> state = this->state("web@1.service");
    ASSERT_TRUE(state) << state.error().text;
    UnitState expected;
    expected.name = "web@1.service";
    expected.load_state = "loaded";
    expected.active_state = "active";
    expected.sub_state = "running";
    expected.result = "success";
    expected.invocation = "0a1b02030405060708090a0b0c0d0eff";
    expected.main_pid = 4711;
    expected.control_group_id = 99'999'999'999;
    EXPECT_EQ(*state, expected);
    EXPECT_TRUE(state->running());
    EXPECT_THAT(systemd_.calls, ElementsAre("GetAll web@1.service"));
}

TEST_F(UnitManagerTest, SeesAPendingJob) {
    systemd_.units["a.service"] = FakeSystemd::running();
    systemd_.units["a.service"]["Job"] = FakeSystemd::job(7, "/org/freedesktop/systemd1/job/7");
    EXPECT_TRUE(state("a.service")->job_pending);
}

TEST_F(UnitManagerTest, AsksARunningUnitOnlyWhetherItIsStillTheSame) {
    systemd_.units["a.service"] = FakeSystemd::running();
    systemd_.listed["a.service"] = {};
    const Result<UnitState> first = state("a.service");
    ASSERT_TRUE(first);
    systemd_.calls.clear();
    EXPECT_EQ(*state("a.service"), *first);
    systemd_.listed["a.service"].job = 7;
    EXPECT_TRUE(state("a.service")->job_pending);
    systemd_.listed["a.service"].job = 0;
    EXPECT_EQ(*state("a.service"), *first);
    EXPECT_THAT(systemd_.calls,
                ::testing::Each(::testing::AnyOf("ListUnitsByNames", "GetUnitByInvocationID")));
}

TEST_F(UnitManagerTest, ReadsEverythingOfAUnitThatIsNotTheSame) {
    const std::vector<std::function<void()>> changes{
        [this] { systemd_.knows_the_invocation = false; },
        [this] { systemd_.listed["a.service"].sub_state = "auto-restart"; },
        [this] { systemd_.listed["a.service"].active_state = "deactivating"; },
        [this] { systemd_.listed["a.service"].load_state = "masked"; },
        [this] { systemd_.listed.clear(); },
        [this] {
            systemd_.scripts["ListUnitsByNames"] = [](sd_bus_message* call) {
                FakeSystemd::fail(call, "org.freedesktop.DBus.Error.AccessDenied", "no");
            };
        },
    };
    for (const auto& change : changes) {
        systemd_.units["a.service"] = FakeSystemd::running();
        systemd_.listed["a.service"] = {};
        systemd_.knows_the_invocation = true;
        ASSERT_TRUE(state("a.service")->running());
        systemd_.units["a.service"]["ActiveState"] = FakeSystemd::text("failed");
        change();
        EXPECT_EQ(state("a.service")->active_state, "failed");
    }
}

TEST_F(UnitManagerTest, ForgetsAUnitThatDoesNotRun) {
    systemd_.units["a.service"] = FakeSystemd::running();
    ASSERT_TRUE(state("a.service")->running());
    systemd_.units["a.service"]["SubState"] = FakeSystemd::text("dead");
    ASSERT_FALSE(state("a.service")->running());
    systemd_.calls.clear();
    EXPECT_FALSE(state("a.service")->running());
    EXPECT_THAT(systemd_.calls, ElementsAre("GetAll a.service"));
}

TEST_F(UnitManagerTest, MissingPropertyIsNotRunning) {
    for (const char* name : {"LoadState", "ActiveState", "SubState", "MainPID"}) {
        systemd_.units["a.service"] = FakeSystemd::running();
        systemd_.units["a.service"].erase(name);
        const Result<UnitState> state = this->state("a.service");
        ASSERT_TRUE(state);
        EXPECT_FALSE(state->running()) << name;
    }
}

TEST_F(UnitManagerTest, PropertyOfAnotherTypeIsNotRunning) {
    for (const char* name : {"LoadState", "ActiveState", "SubState", "MainPID"}) {
        systemd_.units["a.service"] = FakeSystemd::running();
        systemd_.units["a.service"][name] = FakeSystemd::texts({"loaded", "active", "running"});
        const Result<UnitState> state = this->state("a.service");
        ASSERT_TRUE(state);
        EXPECT_FALSE(state->running()) << name;
        EXPECT_EQ(state->invocation, "0a1b02030405060708090a0b0c0d0eff");
    }
}

TEST_F(UnitManagerTest, InvocationOfAnotherLengthIsNone) {
    systemd_.units["a.service"] = FakeSystemd::running();
    systemd_.units["a.service"]["InvocationID"] = FakeSystemd::bytes({1, 2, 3});
    EXPECT_EQ(this->state("a.service")->invocation, "");
    systemd_.units["a.service"]["InvocationID"] = FakeSystemd::bytes({});
    EXPECT_EQ(this->state("a.service")->invocation, "");
}

TEST_F(UnitManagerTest, AnswerThatIsNoListOfPropertiesIsInvalid) {
    systemd_.scripts["GetAll"] = [](sd_bus_message* call) {
        sd_bus_reply_method_return(call, "s", "hello");
    };
    const Result<UnitState> state = this->state("a.service");
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().fault, Fault::invalid);
    EXPECT_THAT(state.error().text, HasSubstr("a.service"));
}

TEST_F(UnitManagerTest, SilentSystemdIsUnreachable) {
    systemd_.scripts["GetAll"] = [](sd_bus_message*) {};
    manager_ = make_unit_manager(bus_.client, *clock_, UnitPatience{40ms, 40ms, 10ms});
    const Result<UnitState> state = this->state("a.service");
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().fault, Fault::unreachable);
    EXPECT_THAT(state.error().text, HasSubstr("cannot inspect a.service"));
}

TEST_F(UnitManagerTest, BusThatIsDownIsUnreachable) {
    bus_.client.stop();
    EXPECT_EQ(state("a.service").error().fault, Fault::unreachable);
    EXPECT_EQ(settings("a.service").error().fault, Fault::unreachable);
    EXPECT_EQ(expand({"a*.service"}).error().fault, Fault::unreachable);
}

void append_exec_start(sd_bus_message* message) {
    EXPECT_GE(sd_bus_message_append(message, "v", "a(sasbttttuii)", 1, "/usr/bin/cloudflared", 5,
                                    "cloudflared", "tunnel", "run", "--token", "eyJhIjoiMSJ9", 0,
                                    std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{0},
                                    std::uint64_t{0}, 0, 0, 0),
              0);
}

TEST_F(UnitManagerTest, ReadsSettingsWithoutSecrets) {
    auto& unit = systemd_.units["a.service"] = FakeSystemd::running();
    unit["Names"] = FakeSystemd::texts({"a.service", "alias.service"});
    unit["ExecStart"] = append_exec_start;
    unit["Environment"] = FakeSystemd::texts(
        {"TUNNEL_TOKEN=eyJhIjoiMSJ9", "PASSWORD=hunter2", "TUNNEL_METRICS=127.0.0.1:20300"});
    unit["EnvironmentFiles"] = [](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "a(sb)", 1, "/etc/default/a", 1), 0);
    };
    unit["UnsetEnvironment"] = FakeSystemd::texts({"TUNNEL_TOKEN"});
    unit["PassEnvironment"] = FakeSystemd::texts({"LANG"});
    unit["LoadCredential"] = [](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "a(ss)", 1, "token", "/var/lib/t"), 0);
    };
    unit["LoadCredentialEncrypted"] = [](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "a(ss)", 1, "sealed", "/etc/x.cred"), 0);
    };
    unit["SetCredential"] = [](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "a(say)", 1, "inline", 2, 'e', 'y'), 0);
    };
    unit["Asserts"] = [](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "a(sbbsi)", 1, "AssertPathExists", 1, 0,
                                        "/etc/x.token", 0),
                  0);
    };
    unit["BindReadOnlyPaths"] = [](sd_bus_message* message) {
        EXPECT_GE(sd_bus_message_append(message, "v", "a(ssbt)", 2, "/etc/t", "/t", 0, 0ULL,
                                        "/etc/u", "/u", 1, 0ULL),
                  0);
    };
    unit["ReadOnlyPaths"] = FakeSystemd::texts({"-/etc/v", "/etc/w"});
    unit["ExecStartPre"] = append_exec_start;
    unit["User"] = FakeSystemd::text("tunnel");
    unit["ProtectHome"] = FakeSystemd::text("yes");
    unit["DynamicUser"] = FakeSystemd::flag(true);
    systemd_.environment = {"TUNNEL_TOKEN=eyJhIjoiMSJ9", "LANG=C"};
    unit["TimeoutStartUSec"] = FakeSystemd::number64(15'000'001);
    unit["TimeoutStopUSec"] = FakeSystemd::number64(UINT64_MAX);
    unit["NeedDaemonReload"] = FakeSystemd::flag(true);

    const Result<UnitSettings> settings = this->settings("a.service");
    ASSERT_TRUE(settings) << settings.error().text;
    UnitSettings expected;
    expected.name = "a.service";
    expected.names = {"a.service", "alias.service"};
    expected.exec_start = {{"/usr/bin/cloudflared", "tunnel", "run", "--token", ""}};
    expected.environment = {"TUNNEL_TOKEN=", "PASSWORD=", "TUNNEL_METRICS=127.0.0.1:20300"};
    expected.environment_files = {"-/etc/default/a"};
    expected.manager_environment = {"TUNNEL_TOKEN=", "LANG="};
    expected.encrypted_credentials = {{"sealed", "/etc/x.cred"}};
    expected.set_credentials = {"inline"};
    expected.conditions = {{"AssertPathExists", true, false, "/etc/x.token"}};
    expected.needs = {{"BindReadOnlyPaths", "/etc/t"},
                      {"ExecStartPre", "/usr/bin/cloudflared tunnel run --token "},
                      {"ReadOnlyPaths", "/etc/w"}};
    expected.user = "tunnel";
    expected.protect_home = "yes";
    expected.dynamic_user = true;
    expected.unset_environment = {"TUNNEL_TOKEN"};
    expected.pass_environment = {"LANG"};
    expected.load_credentials = {{"token", "/var/lib/t"}};
    expected.start_timeout = 15'001ms;
    expected.stop_timeout = 0ms;
    expected.need_daemon_reload = true;
    EXPECT_EQ(*settings, expected);
}

TEST_F(UnitManagerTest, FollowsWhatARestartDragsAlong) {
    auto& units = systemd_.units;
    units["a.service"] = FakeSystemd::running();
    units["a.service"]["RequiredBy"] = FakeSystemd::texts({"site.target", "idle.service"});
    units["a.service"]["BoundBy"] = FakeSystemd::texts({"bound.service"});
    units["a.service"]["ConsistsOf"] = FakeSystemd::texts({"part.service", "bound.service"});
    units["a.service"]["WantedBy"] = FakeSystemd::texts({"wants.service"});
    for (const char* name : {"site.target", "bound.service", "part.service", "wants.service",
                             "of-target.service", "beyond-idle.service"})
        units[name] = FakeSystemd::running();
    units["idle.service"] = FakeSystemd::running();
    units["idle.service"]["ActiveState"] = FakeSystemd::text("inactive");
    units["idle.service"]["RequiredBy"] = FakeSystemd::texts({"beyond-idle.service"});
    units["site.target"]["ConsistsOf"] = FakeSystemd::texts({"of-target.service"});
    units["bound.service"]["BoundBy"] = FakeSystemd::texts({"a.service"});

    const Result<UnitSettings> settings = this->settings("a.service");
    ASSERT_TRUE(settings) << settings.error().text;
    EXPECT_THAT(settings->dragged_along,
                ElementsAre("bound.service", "of-target.service", "part.service"));
}

TEST_F(UnitManagerTest, FollowsAtMostSoManyUnits) {
    for (int index = 0; index < 70; ++index) {
        auto& unit = systemd_.units["u" + std::to_string(index) + ".service"];
        unit = FakeSystemd::running();
        unit["RequiredBy"] = FakeSystemd::texts({"u" + std::to_string(index + 1) + ".service"});
    }
    const Result<UnitSettings> settings = this->settings("u0.service");
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().fault, Fault::invalid);
}

TEST_F(UnitManagerTest, ExpandsGlobsInNaturalOrder) {
    systemd_.lists["web@*.service"] = {
        {"web@10.service", "loaded"}, {"web@2.service", "loaded"}, {"web@3.service", "not-found"}};
    systemd_.lists["none@*.service"] = {};
    const auto units =
        expand({"z.service", "web@*.service", "none@*.service", "web@2.service", "a.service"});
    ASSERT_TRUE(units) << units.error().text;
    EXPECT_THAT(*units, ElementsAre(plain("z.service"), plain("web@2.service"),
                                    plain("web@10.service"), plain("a.service")));
}

TEST_F(UnitManagerTest, AsksForTheIdOfEachNameOnce) {
    EXPECT_THAT(*expand({"b.service", "a.service", "b.service"}),
                ElementsAre(plain("b.service"), plain("a.service")));
    EXPECT_THAT(systemd_.calls, ElementsAre("Get b.service org.freedesktop.systemd1.Unit Id",
                                            "Get a.service org.freedesktop.systemd1.Unit Id"));
}

TEST_F(UnitManagerTest, AnAliasIsTheUnitThatItStandsFor) {
    systemd_.aliases["tunnel.service"] = "cloudflared.service";
    systemd_.aliases["old@1.service"] = "web@1.service";
    systemd_.lists["web@*.service"] = {{"web@1.service", "loaded"}};
    EXPECT_THAT(
        *expand({"tunnel.service", "web@*.service"}),
        ElementsAre(NamedUnit{"cloudflared.service", {"tunnel.service"}}, plain("web@1.service")));
    EXPECT_THAT(
        *expand({"cloudflared.service", "web@*.service", "tunnel.service", "old@1.service"}),
        ElementsAre(NamedUnit{"cloudflared.service", {"cloudflared.service", "tunnel.service"}},
                    NamedUnit{"web@1.service", {"web@1.service", "old@1.service"}}));
}

TEST_F(UnitManagerTest, ANameThatSystemdDoesNotTakeStaysAsItIs) {
    systemd_.scripts["Get"] = [](sd_bus_message* call) {
        FakeSystemd::fail(call, "org.freedesktop.DBus.Error.InvalidArgs", "not valid");
    };
    EXPECT_THAT(*expand({"odd"}), ElementsAre(plain("odd")));
    systemd_.scripts["Get"] = [](sd_bus_message* call) {
        FakeSystemd::fail(call, "org.freedesktop.DBus.Error.NoReply", "gone");
    };
    EXPECT_EQ(expand({"a.service"}).error().fault, Fault::unreachable);
}

TEST_F(UnitManagerTest, ListOfAnotherShapeIsInvalid) {
    systemd_.scripts["ListUnitsByPatterns"] = [](sd_bus_message* call) {
        sd_bus_reply_method_return(call, "as", 1, "web@1.service");
    };
    EXPECT_EQ(expand({"web@*.service"}).error().fault, Fault::invalid);
}

}  // namespace
}  // namespace keyturn::testing
