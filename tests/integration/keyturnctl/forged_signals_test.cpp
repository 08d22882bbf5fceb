// Whoever is on the bus can send signals to keyturnctl alone, with any path and any content.

#include "integration/keyturnctl/keyturnctl_fixture.hpp"

#include <functional>
#include <memory>

namespace keyturn::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ForgedSignalsTest : public KeyturnctlTest {
  protected:
    /// Follows a rotation that soaks and goes on soaking.
    std::unique_ptr<KeyturnctlProcess> follow_a_soak() {
        auto process = std::make_unique<KeyturnctlProcess>(
            daemon_.address(), std::vector<std::string>{"rotate", "web", "--follow"});
        EXPECT_TRUE(turn_until([&] { return !done_.empty(); }));
        soak();
        service_->changed("web");
        EXPECT_TRUE(says(*process, "soak after batch 1"));
        return process;
    }

    /// To every client of the bus: who forges does not know which one is keyturnctl.
    void send_to_all(const std::function<Message()>& make) {
        for (int client = 0; client < 20; ++client) {
            const Message signal = make();
            EXPECT_GE(sd_bus_send_to(stranger_.handle(), signal.get(),
                                     fmt::format(":1.{}", client).c_str(), nullptr),
                      0);
        }
        stranger_.kick();
    }

    Message new_signal(const char* path, const char* interface, const char* member) {
        sd_bus_message* raw = nullptr;
        EXPECT_GE(sd_bus_message_new_signal(stranger_.handle(), &raw, path, interface, member), 0);
        return Message(raw);
    }

    std::function<Message()> forged_change(const char* state, const char* outcome) {
        return [=, this] {
            Message signal =
                new_signal(web_path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
            const std::uint64_t last_done = 1772339999000000;
            EXPECT_GE(
                sd_bus_message_append(signal.get(), "sa{sv}as", tunnel_interface, 5, "State", "s",
                                      state, "Phase", "s", "", "Reason", "s", "so it is",
                                      "LastOutcome", "s", outcome, "LastDone", "t", last_done, 0),
                0);
            return signal;
        };
    }

    std::function<Message()> forged_loss() {
        return [this] {
            Message signal =
                new_signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged");
            EXPECT_GE(sd_bus_message_append(signal.get(), "sss", control_name, ":1.0", ""), 0);
            return signal;
        };
    }

    /// What the daemon says next shows that what was sent before it has been read.
    void expect_unimpressed(KeyturnctlProcess& process) {
        tunnels_[0].units[1].step = "restarting";
        service_->changed("web");
        EXPECT_TRUE(says(process, "cloudflared-web@b.service: restarting")) << process.output();
        EXPECT_FALSE(process.ended()) << process.output();
        EXPECT_THAT(process.output(), Not(HasSubstr("done in")));
        EXPECT_THAT(process.output(), Not(HasSubstr("not running")));
        finish();
        service_->changed("web");
        EXPECT_TRUE(turn_until([&] { return process.ended(); }));
        EXPECT_EQ(process.exit_code(), 0);
        EXPECT_THAT(process.output(), HasSubstr("web: done in 1m 30s"));
    }
};

TEST_F(ForgedSignalsTest, DoNotEndTheFollowingOfARotation) {
    const auto process = follow_a_soak();
    send_to_all(forged_change("idle", "done"));
    expect_unimpressed(*process);
}

TEST_F(ForgedSignalsTest, DoNotHoldARotation) {
    const auto process = follow_a_soak();
    send_to_all(forged_change("held", ""));
    expect_unimpressed(*process);
}

TEST_F(ForgedSignalsTest, DoNotTakeTheDaemonAway) {
    const auto process = follow_a_soak();
    send_to_all(forged_loss());
    expect_unimpressed(*process);
}

TEST_F(ForgedSignalsTest, AreAnsweredByFewQuestionsHoweverManyThereAre) {
    const auto process = follow_a_soak();
    const int before = times_asked_;
    const auto began = std::chrono::steady_clock::now();
    for (int round = 0; round < 100; ++round) {
        send_to_all(forged_change("idle", "done"));
        context_.restart();
        context_.run_for(5ms);
    }
    expect_unimpressed(*process);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_LE(times_asked_ - before, 5 + took / 50ms);
}

}  // namespace
}  // namespace keyturn::testing
