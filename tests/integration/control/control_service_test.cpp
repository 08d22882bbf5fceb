#include "integration/peers/control_fixture.hpp"
#include "wire/status_message.hpp"
#include "wire/tunnel_properties.hpp"

#include <gmock/gmock.h>

#include <map>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ControlServiceTest : public ControlTest {
  protected:
    Answer get(const std::string& path, const char* interface, const char* property) {
        const Message message = new_call(stranger_, path, "org.freedesktop.DBus.Properties", "Get");
        EXPECT_GE(sd_bus_message_append(message.get(), "ss", interface, property), 0);
        return call(stranger_, message);
    }

    std::string text_of(const char* property) {
        const char* text = "(none)";
        const Answer answer = get(web_path, tunnel_interface, property);
        EXPECT_EQ(answer.error, "");
        sd_bus_message_read(answer.reply.get(), "v", "s", &text);
        return text;
    }

    std::uint64_t time_of(const char* property) {
        std::uint64_t time = 77;
        const Answer answer = get(web_path, tunnel_interface, property);
        EXPECT_EQ(answer.error, "");
        sd_bus_message_read(answer.reply.get(), "v", "t", &time);
        return time;
    }

    /// Calls Rotate with these boolean options and with these units.
    Answer move(const std::vector<std::string>& kinds, const std::vector<std::string>& units) {
        const Message message = new_call(root_, control_path, manager_interface, "Rotate");
        sd_bus_message* raw = message.get();
        sd_bus_message_append(raw, "s", "web");
        sd_bus_message_open_container(raw, 'a', "{sv}");
        for (const std::string& kind : kinds) {
            sd_bus_message_append(raw, "{sv}", kind.c_str(), "b", 1);
        }
        sd_bus_message_open_container(raw, 'e', "sv");
        sd_bus_message_append(raw, "s", "units");
        sd_bus_message_open_container(raw, 'v', "as");
        sd_bus_message_open_container(raw, 'a', "s");
        for (const std::string& unit : units) sd_bus_message_append(raw, "s", unit.c_str());
        for (int i = 0; i < 4; ++i) sd_bus_message_close_container(raw);
        return call(root_, message);
    }
};

TEST_F(ControlServiceTest, ShowsTheTunnelToAnybody) {
    EXPECT_EQ(text_of("Name"), "web");
    EXPECT_EQ(text_of("TunnelId"), "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415");
    EXPECT_EQ(text_of("State"), "idle");
    EXPECT_EQ(text_of("LastOutcome"), "done");
    EXPECT_EQ(text_of("Fingerprint"), "0123456789abcdef");
    EXPECT_EQ(time_of("LastDone"), 1772332200123000U);
    EXPECT_EQ(time_of("Due"), 0U);
}

TEST_F(ControlServiceTest, ShowsTheUnits) {
    const Answer answer = get(web_path, tunnel_interface, "Units");
    const char* name = nullptr;
    const char* step = nullptr;
    const char* verified_by = nullptr;
    int batch = -1;
    int connections = -1;
    ASSERT_GT(sd_bus_message_read(answer.reply.get(), "v", "a(ssiis)", 1, &name, &step, &batch,
                                  &connections, &verified_by),
              0);
    EXPECT_STREQ(name, "cloudflared-web@a.service");
    EXPECT_STREQ(step, "");
    EXPECT_EQ(batch, 0);
    EXPECT_EQ(connections, 4);
}

TEST_F(ControlServiceTest, ShowsTheWholeStatusOfAllTunnels) {
    tunnels_[0].batch = 1;
    tunnels_[0].findings = {"one replica only"};
    tunnels_[0].can_revert = true;
    tunnels_[0].lockout = 1500ms;
    tunnels_.insert(tunnels_.begin(), tunnels_[0]);
    tunnels_[0].name = "api.v2";
    const Answer answer =
        call(stranger_, new_call(stranger_, control_path, "org.freedesktop.DBus.ObjectManager",
                                 "GetManagedObjects"));
    std::vector<TunnelStatus> read;
    ASSERT_GE(read_managed_objects(answer.reply.get(), read), 0);
    EXPECT_EQ(read, tunnels_);
}

TEST_F(ControlServiceTest, ShowsEachStatusAsItIsNow) {
    EXPECT_EQ(text_of("State"), "idle");
    tunnels_[0].state = "held";
    EXPECT_EQ(text_of("State"), "held");
}

TEST_F(ControlServiceTest, SendsNoBytesThatWouldEndTheConnection) {
    tunnels_[0].reason = "cut \xE2\x86";
    EXPECT_EQ(text_of("Reason"), "cut ??");
    EXPECT_TRUE(name_is_owned());
}

TEST_F(ControlServiceTest, ManagerListsTheTunnels) {
    tunnels_.push_back(tunnels_[0]);
    tunnels_[1].name = "api.v2";
    const Answer answer =
        call(stranger_, new_call(stranger_, control_path, manager_interface, "ListTunnels"));
    std::map<std::string, std::string> listed;
    const char* name = nullptr;
    const char* path = nullptr;
    ASSERT_GT(sd_bus_message_enter_container(answer.reply.get(), 'a', "(so)"), 0);
    while (sd_bus_message_read(answer.reply.get(), "(so)", &name, &path) > 0) listed[name] = path;
    EXPECT_THAT(listed, ElementsAre(std::pair("api.v2", "/org/keyturn/Keyturn1/tunnel/api_2ev2"),
                                    std::pair("web", web_path)));
    EXPECT_EQ(get("/org/keyturn/Keyturn1/tunnel/api_2ev2", tunnel_interface, "State").error, "");
}

TEST_F(ControlServiceTest, ManagerTellsTheVersion) {
    const char* version = nullptr;
    const Answer answer = get(control_path, manager_interface, "Version");
    ASSERT_GT(sd_bus_message_read(answer.reply.get(), "v", "s", &version), 0);
    EXPECT_STREQ(version, KEYTURN_VERSION);
}

TEST_F(ControlServiceTest, KnowsNoObjectThatIsNoTunnel) {
    EXPECT_EQ(get("/org/keyturn/Keyturn1/tunnel/nope", tunnel_interface, "State").error,
              "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_F(ControlServiceTest, CanBeIntrospected) {
    const auto introspect = [&](const char* path) {
        const Answer answer =
            call(stranger_,
                 new_call(stranger_, path, "org.freedesktop.DBus.Introspectable", "Introspect"));
        const char* xml = "";
        sd_bus_message_read(answer.reply.get(), "s", &xml);
        return std::string(xml);
    };
    EXPECT_THAT(introspect(control_path), HasSubstr("<arg type=\"a{sv}\" name=\"options\""));
    EXPECT_THAT(introspect("/org/keyturn/Keyturn1/tunnel"), HasSubstr("<node name=\"web\"/>"));
    EXPECT_THAT(introspect(web_path), HasSubstr("<property name=\"Units\" type=\"a(ssiis)\""));
    EXPECT_THAT(introspect(web_path), HasSubstr("<property name=\"Name\" type=\"s\""));
}

TEST_F(ControlServiceTest, RootRotatesAndRetries) {
    EXPECT_EQ(rotate(root_).error, "");
    EXPECT_EQ(retry(root_).error, "");
    EXPECT_THAT(done_, ElementsAre("rotate web 'why' true", "retry web"));
}

TEST_F(ControlServiceTest, UnknownTunnelIsToldBeforeAnythingIsDone) {
    const Answer answer = rotate(root_, "wbe");
    EXPECT_EQ(answer.error, "org.keyturn.Error.NoSuchTunnel");
    EXPECT_EQ(answer.text, "the policy has no tunnel named wbe");
    EXPECT_THAT(done_, IsEmpty());
}

TEST_F(ControlServiceTest, FaultsBecomeErrorsWithTheirText) {
    struct Row {
        Fault fault;
        const char* rotate_error;
        const char* retry_error;
    };
    for (const Row& row :
         {Row{Fault::missing, "org.keyturn.Error.NoSuchTunnel", "org.keyturn.Error.NoSuchTunnel"},
          Row{Fault::denied, "org.keyturn.Error.Refused", "org.keyturn.Error.Refused"},
          Row{Fault::conflict, "org.keyturn.Error.AlreadyOpen", "org.keyturn.Error.NotHeld"},
          Row{Fault::invalid, "org.freedesktop.DBus.Error.InvalidArgs",
              "org.freedesktop.DBus.Error.InvalidArgs"},
          Row{Fault::storage, "org.freedesktop.DBus.Error.Failed",
              "org.freedesktop.DBus.Error.Failed"}}) {
        outcome_ = Error{row.fault, "because of 100%", {}};
        const Answer of_rotate = rotate(root_);
        EXPECT_EQ(of_rotate.error, row.rotate_error);
        EXPECT_EQ(of_rotate.text, "because of 100%");
        EXPECT_EQ(retry(root_).error, row.retry_error);
    }
}

TEST_F(ControlServiceTest, OptionsThatItDoesNotKnowAreErrors) {
    const auto with_option = [&](const char* key, const char* type, const char* value) {
        const Message message = new_call(root_, control_path, manager_interface, "Rotate");
        sd_bus_message_append(message.get(), "sa{sv}", "web", 1, key, type, value);
        return call(root_, message);
    };
    EXPECT_EQ(with_option("compromise", "s", "yes").text, "Rotate has no option compromise");
    EXPECT_EQ(with_option("compromised", "s", "yes").text,
              "the option compromised must be a boolean");
    EXPECT_EQ(with_option("accept_gap", "s", "yes").text,
              "the option accept_gap must be a boolean");
    EXPECT_EQ(with_option("reason", "s", "two\nlines").error, SD_BUS_ERROR_INVALID_ARGS);
    EXPECT_EQ(with_option("reason", "s", std::string(201, 'x').c_str()).error,
              SD_BUS_ERROR_INVALID_ARGS);
    EXPECT_THAT(done_, IsEmpty());
    EXPECT_EQ(with_option("reason", "s", std::string(200, 'x').c_str()).error, "");
}

TEST_F(ControlServiceTest, TakesTheUnitsThatMove) {
    EXPECT_EQ(move({"adopt"}, {"a.service", "b.service"}).error, "");
    EXPECT_EQ(requests_.back().kind, RotationKind::adopt);
    EXPECT_THAT(requests_.back().units, ElementsAre("a.service", "b.service"));
    EXPECT_EQ(move({"release"}, {}).error, "");
    EXPECT_EQ(requests_.back().kind, RotationKind::release);
    EXPECT_THAT(requests_.back().units, IsEmpty());
}

TEST_F(ControlServiceTest, RefusesUnitsThatMakeNoSense) {
    const auto error_of = [&](const std::vector<std::string>& kinds,
                              const std::vector<std::string>& units) {
        const Answer answer = move(kinds, units);
        EXPECT_EQ(answer.error, SD_BUS_ERROR_INVALID_ARGS);
        return answer.text;
    };
    EXPECT_EQ(error_of({"adopt", "release"}, {}),
              "only one of compromised, adopt and release can be true");
    EXPECT_EQ(error_of({"compromised", "adopt"}, {}),
              "only one of compromised, adopt and release can be true");
    EXPECT_EQ(error_of({}, {"a.service"}), "the option units needs adopt or release");
    for (const std::string& name : {std::string(), std::string(256, 'x'), std::string("a\nb")}) {
        EXPECT_EQ(error_of({"adopt"}, {name}), "the option units must contain names of units");
    }
    EXPECT_EQ(error_of({"adopt"}, std::vector<std::string>(65, "a.service")),
              "the option units must contain at most 64 units");
    const Message message = new_call(root_, control_path, manager_interface, "Rotate");
    sd_bus_message_append(message.get(), "sa{sv}", "web", 1, "units", "s", "a.service");
    EXPECT_EQ(call(root_, message).text, "the option units must be an array of strings");
    EXPECT_THAT(done_, IsEmpty());
}

class ChangedTest : public ControlServiceTest {
  protected:
    void SetUp() override {
        ControlTest::SetUp();
        sd_bus_slot* raw = nullptr;
        sd_bus_match_signal_async(
            stranger_.handle(), &raw, control_name, nullptr, "org.freedesktop.DBus.Properties",
            "PropertiesChanged", on_changed,
            [](sd_bus_message*, void*, sd_bus_error*) { return 0; }, this);
        match_.reset(raw);
        stranger_.kick();
        // An answer to a later question comes after AddMatch has been done.
        const auto ping = new_call(stranger_, control_path, "org.freedesktop.DBus.Peer", "Ping");
        EXPECT_EQ(call(stranger_, ping).error, "");
    }

    static int on_changed(sd_bus_message* signal, void* self, sd_bus_error*) {
        auto& test = *static_cast<ChangedTest*>(self);
        test.paths_.emplace_back(sd_bus_message_get_path(signal));
        const char* interface = nullptr;
        sd_bus_message_read(signal, "s", &interface);
        EXPECT_STREQ(interface, tunnel_interface);
        sd_bus_message_enter_container(signal, 'a', "{sv}");
        while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
            const char* name = nullptr;
            sd_bus_message_read(signal, "s", &name);
            const char* text = nullptr;
            if (std::string(name) == "State") {
                sd_bus_message_read(signal, "v", "s", &text);
                test.states_.emplace_back(text);
            } else {
                sd_bus_message_skip(signal, "v");
            }
            ++test.properties_;
            sd_bus_message_exit_container(signal);
        }
        return 0;
    }

    std::vector<std::string> paths_;
    std::vector<std::string> states_;
    int properties_ = 0;
    Slot match_;
};

TEST_F(ChangedTest, TellsEveryStepWithTheWholeStatus) {
    tunnels_[0].state = "running";
    service_->changed("web");
    tunnels_[0].state = "held";
    service_->changed("web");
    ASSERT_TRUE(turn_until([&] { return states_.size() == 2; }));
    EXPECT_THAT(states_, ElementsAre("running", "held"));
    EXPECT_THAT(paths_, ElementsAre(web_path, web_path));
    constexpr int all = std::tuple_size_v<decltype(tunnel_properties)>;
    EXPECT_EQ(properties_, 2 * (all - 1)) << "all but the name, which is fixed";
}

TEST_F(ChangedTest, SaysNothingAboutATunnelThatIsGone) {
    service_->changed("nope");
    service_->changed("web");
    ASSERT_TRUE(turn_until([&] { return !states_.empty(); }));
    EXPECT_THAT(paths_, ElementsAre(web_path));
}

TEST_F(ChangedTest, MayBeCalledByAHandler) {
    ControlHandlers changing = handlers();
    changing.rotate = [this](const std::string& tunnel, const RotationRequest&) -> Result<void> {
        tunnels_[0].state = "running";
        service_->changed(tunnel);
        return {};
    };
    service_.reset();
    service_ = std::make_unique<ControlService>(service_bus_, changing);
    ASSERT_TRUE(turn_until([&] { return name_is_owned(); }));
    EXPECT_EQ(rotate(root_).error, "");
    ASSERT_TRUE(turn_until([&] { return !states_.empty(); }));
    EXPECT_THAT(states_, ElementsAre("running"));
    EXPECT_THAT(reports_, IsEmpty()) << "the name that this connection has already is no trouble";
}

}  // namespace
}  // namespace keyturn::testing
