#include "clock/clock.hpp"
#include "integration/peers/control_fixture.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>

#include <optional>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* job_path = "/org/freedesktop/systemd1/job/7";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* systemd_interface = "org.freedesktop.systemd1.Manager";

/// Plays systemd on a real bus. A restart is answered when the test says so.
class BusSystemd {
  public:
    BusSystemd(boost::asio::io_context& context, const DbusDaemon& daemon)
        : bus_(context, daemon.opener(0)) {
        bus_.on_connect([this](sd_bus* bus) {
            sd_bus_add_filter(bus, nullptr, on_message, this);
            sd_bus_request_name_async(bus, nullptr, "org.freedesktop.systemd1", 0, on_name, this);
        });
        bus_.start();
    }

    void signal_job_removed(const char* result) {
        sd_bus_emit_signal(bus_.handle(), manager_path, systemd_interface, "JobRemoved", "uoss", 7,
                           job_path, "web.service", result);
        bus_.kick();
    }

    void answer_restart() {
        sd_bus_reply_method_return(restart.get(), "o", job_path);
        bus_.kick();
    }

    bool owns_name = false;
    bool subscribed = false;
    Message restart;

  private:
    static int on_name(sd_bus_message* reply, void* self, sd_bus_error*) {
        static_cast<BusSystemd*>(self)->owns_name = sd_bus_message_get_error(reply) == nullptr;
        return 0;
    }

    static int on_message(sd_bus_message* message, void* self, sd_bus_error*) {
        auto& systemd = *static_cast<BusSystemd*>(self);
        if (sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) return 0;
        const std::string_view member = sd_bus_message_get_member(message);
        if (member == "TryRestartUnit") {
            systemd.restart.reset(sd_bus_message_ref(message));
        } else if (member == "GetAll") {
            sd_bus_reply_method_return(message, "a{sv}", 4, "LoadState", "s", "loaded",
                                       "ActiveState", "s", "active", "SubState", "s", "running",
                                       "Job", "(uo)", 0, "/");
        } else {
            systemd.subscribed = systemd.subscribed || member == "Subscribe";
            sd_bus_reply_method_return(message, "");
        }
        return 1;
    }

    Bus bus_;
};

class SignalsToKeyturndTest : public ControlTest {
  protected:
    /// A signal of the stranger's, addressed to one connection.
    void forge(const Bus& victim, const char* path, const char* interface, const char* member,
               const char* types, auto... values) {
        sd_bus_message* raw = nullptr;
        ASSERT_GE(sd_bus_message_new_signal(stranger_.handle(), &raw, path, interface, member), 0);
        const Message signal(raw);
        const char* name = nullptr;
        ASSERT_GE(sd_bus_get_unique_name(victim.handle(), &name), 0);
        ASSERT_GE(sd_bus_message_set_destination(raw, name), 0);
        ASSERT_GE(sd_bus_message_append(raw, types, values...), 0);
        ASSERT_GE(sd_bus_send(stranger_.handle(), raw, nullptr), 0);
        stranger_.kick();
    }

    /// The bus daemon has passed on all that the stranger sent before, and the service has seen it.
    void wait_until_seen() {
        const Message list = new_call(stranger_, control_path, manager_interface, "ListTunnels");
        EXPECT_EQ(call(stranger_, list).error, "");
    }
};

TEST_F(SignalsToKeyturndTest, ThatOurNameIsLostIsNotBelieved) {
    for (int i = 0; i < 100; ++i) {
        forge(service_bus_, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameLost", "s",
              control_name);
    }
    wait_until_seen();
    EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(SignalsToKeyturndTest, ThatACallerLeftIsNotBelieved) {
    FakePolkit polkit(context_, daemon_);
    polkit.mood = FakePolkit::Mood::silent;
    ASSERT_TRUE(turn_until([&] { return polkit.owns_name; }));
    Bus caller(context_, daemon_.opener(another));
    caller.start();
    ASSERT_TRUE(turn_until([&] { return caller.connected(); }));
    const Message message = new_call(caller, control_path, manager_interface, "Retry");
    sd_bus_message_append(message.get(), "s", "web");
    sd_bus_send(caller.handle(), message.get(), nullptr);
    caller.kick();
    ASSERT_TRUE(turn_until([&] { return !polkit.asked.empty(); }));
    const char* name = nullptr;
    sd_bus_get_unique_name(caller.handle(), &name);
    forge(service_bus_, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
          name, name, "");
    wait_until_seen();
    polkit.answer(true);
    EXPECT_TRUE(turn_until([&] { return !done_.empty(); }));
    EXPECT_THAT(done_, ElementsAre("retry web"));
}

TEST_F(SignalsToKeyturndTest, ThatAJobEndedIsNotBelieved) {
    BusSystemd systemd(context_, daemon_);
    ASSERT_TRUE(turn_until([&] { return systemd.owns_name; }));
    Bus client(context_, daemon_.opener(0));
    const auto clock = make_clock(context_.get_executor());
    const auto manager = make_unit_manager(client, *clock);
    client.start();
    ASSERT_TRUE(turn_until([&] { return systemd.subscribed; }));
    std::optional<Result<RestartResult>> result;
    boost::asio::co_spawn(context_, manager->restart("web.service", RestartVerb::try_restart, 60s),
                          [&](std::exception_ptr, Result<RestartResult> value) { result = value; });
    ASSERT_TRUE(turn_until([&] { return systemd.restart != nullptr; }));
    // The truth first, then more lies than anybody would keep, then the reply that names the job.
    systemd.signal_job_removed("canceled");
    const std::string long_path = "/" + std::string(60'000, 'x');
    for (int i = 0; i < 1'100; ++i) {
        forge(client, manager_path, systemd_interface, "JobRemoved", "uoss", 7,
              i % 100 == 0 ? long_path.c_str() : job_path, "web.service", "done");
    }
    wait_until_seen();
    systemd.answer_restart();
    ASSERT_TRUE(turn_until([&] { return result.has_value(); }));
    ASSERT_TRUE(*result) << result->error().text;
    EXPECT_EQ(**result, JobResult::canceled);
}

TEST_F(SignalsToKeyturndTest, ThatSystemdHasANewOwnerIsNotBelieved) {
    BusSystemd systemd(context_, daemon_);
    ASSERT_TRUE(turn_until([&] { return systemd.owns_name; }));
    Bus client(context_, daemon_.opener(0));
    const auto clock = make_clock(context_.get_executor());
    const auto manager = make_unit_manager(client, *clock);
    client.start();
    ASSERT_TRUE(turn_until([&] { return systemd.subscribed; }));
    std::optional<Result<RestartResult>> result;
    boost::asio::co_spawn(context_, manager->restart("web.service", RestartVerb::try_restart, 60s),
                          [&](std::exception_ptr, Result<RestartResult> value) { result = value; });
    ASSERT_TRUE(turn_until([&] { return systemd.restart != nullptr; }));
    const char* stranger = nullptr;
    sd_bus_get_unique_name(stranger_.handle(), &stranger);
    forge(client, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
          "org.freedesktop.systemd1", ":1.1", stranger);
    forge(client, manager_path, systemd_interface, "JobRemoved", "uoss", 7, job_path, "web.service",
          "done");
    wait_until_seen();
    systemd.signal_job_removed("failed");
    systemd.answer_restart();
    ASSERT_TRUE(turn_until([&] { return result.has_value(); }));
    EXPECT_EQ(**result, JobResult::failed);
}

}  // namespace
}  // namespace keyturn::testing
