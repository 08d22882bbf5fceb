#include "integration/peers/private_bus.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>

namespace keyturn::testing {
namespace {

/// Plays org.example.Peer: answers "Ping" with "pong", fails "Fail", and keeps quiet on "Silence".
class BusTest : public ::testing::Test {
  protected:
    BusTest() {
        bus_.set_up_peer = [this](sd_bus* peer) {
            EXPECT_GE(sd_bus_add_filter(peer, nullptr, on_message, this), 0);
        };
    }

    void connect() {
        bus_.client.start();
        ASSERT_TRUE(bus_.turn_until([&] { return bus_.client.connected(); }));
    }

    static int on_message(sd_bus_message* message, void* self, sd_bus_error*) {
        auto& test = *static_cast<BusTest*>(self);
        ++test.received_;
        if (sd_bus_message_is_method_call(message, nullptr, "Ping") > 0)
            return sd_bus_reply_method_return(message, "s", "pong") < 0 ? -1 : 1;
        if (sd_bus_message_is_method_call(message, nullptr, "Fail") > 0)
            return sd_bus_reply_method_errorf(message, "org.freedesktop.DBus.Error.AccessDenied",
                                              "not you");
        return 1;
    }

    Result<Message> call(const char* member, Milliseconds timeout = 5s) {
        return run(bus_.context, bus_.client.call(bus_.call_to(member), timeout));
    }

    PrivateBus bus_;
    int received_ = 0;
};

TEST_F(BusTest, CallIsAnswered) {
    connect();
    const Result<Message> answer = call("Ping");
    ASSERT_TRUE(answer) << answer.error().text;
    const char* text = nullptr;
    ASSERT_GE(sd_bus_message_read(answer->get(), "s", &text), 0);
    EXPECT_STREQ(text, "pong");
}

TEST_F(BusTest, ErrorBecomesAFault) {
    connect();
    const Result<Message> answer = call("Fail");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::denied);
    EXPECT_EQ(answer.error().text, "org.freedesktop.DBus.Error.AccessDenied: not you");
}

TEST_F(BusTest, ExchangeHandsOverTheErrorOfTheCallee) {
    connect();
    const Result<Message> answer =
        run(bus_.context, bus_.client.exchange(bus_.call_to("Fail"), 5s));
    ASSERT_TRUE(answer);
    EXPECT_GT(
        sd_bus_message_is_method_error(answer->get(), "org.freedesktop.DBus.Error.AccessDenied"),
        0);
}

TEST_F(BusTest, SilentPeerIsUnreachableAfterTheTimeout) {
    connect();
    // The bus is idle now, so nothing but `kick` tells the loop about the new timeout.
    bus_.turn();
    const auto start = std::chrono::steady_clock::now();
    const Result<Message> answer = call("Silence", 40ms);
    const auto waited = std::chrono::steady_clock::now() - start;
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::unreachable);
    EXPECT_GE(waited, 39ms);
    EXPECT_LT(waited, 2s);
    EXPECT_EQ(received_, 1);
}

TEST_F(BusTest, ExchangeWithASilentPeerIsAnErrorToo) {
    connect();
    const Result<Message> answer =
        run(bus_.context, bus_.client.exchange(bus_.call_to("Silence"), 20ms));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::unreachable);
}

TEST_F(BusTest, CallWithoutAConnectionIsUnreachableAtOnce) {
    bus_.refuse = true;
    bus_.client.start();
    bus_.turn();
    EXPECT_FALSE(bus_.client.connected());
    EXPECT_EQ(bus_.client.handle(), nullptr);
    const Result<Message> answer = run(bus_.context, bus_.client.call(nullptr, 5s));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::unreachable);
    EXPECT_EQ(answer.error().text, "the bus is down (refused by the test)");
}

TEST_F(BusTest, CallEndsWhenThePeerDies) {
    connect();
    boost::asio::steady_timer killer(bus_.context, 5ms);
    killer.async_wait([&](boost::system::error_code) { bus_.kill_peer(); });
    const auto start = std::chrono::steady_clock::now();
    const Result<Message> answer = call("Silence", 8s);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::unreachable);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
}

TEST_F(BusTest, CallEndsWhenTheBusIsStopped) {
    connect();
    boost::asio::steady_timer stopper(bus_.context, 5ms);
    stopper.async_wait([&](boost::system::error_code) { bus_.client.stop(); });
    const Result<Message> answer = call("Silence", 8s);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::unreachable);
    EXPECT_EQ(answer.error().text, "the bus is down (closed)");
}

TEST_F(BusTest, ReconnectsAndCallsTheHooksAgain) {
    std::string story;
    bus_.client.on_connect([&](sd_bus* bus) {
        EXPECT_EQ(bus, bus_.client.handle());
        story += "connect ";
    });
    bus_.client.on_disconnect([&] {
        EXPECT_EQ(bus_.client.handle(), nullptr);
        story += "disconnect ";
    });
    connect();
    bus_.kill_peer();
    ASSERT_TRUE(bus_.turn_until([&] { return bus_.attempts == 2 && bus_.client.connected(); }));
    EXPECT_EQ(story, "connect disconnect connect ");
    EXPECT_TRUE(call("Ping"));
}

TEST_F(BusTest, HookThatComesLateIsCalledAtOnce) {
    connect();
    int calls = 0;
    bus_.client.on_connect([&](sd_bus*) { ++calls; });
    EXPECT_EQ(calls, 1);
}

TEST_F(BusTest, HooksRunInOrderAndMayCall) {
    std::string order;
    bus_.client.on_connect([&](sd_bus*) { order += "1"; });
    bus_.client.on_connect([&](sd_bus* bus) {
        order += "2";
        EXPECT_GE(sd_bus_call_method_async(bus, nullptr, "org.example.Peer", "/org/example",
                                           "org.example.Peer", "Hello", nullptr, nullptr, ""),
                  0);
    });
    connect();
    EXPECT_TRUE(bus_.turn_until([&] { return received_ == 1; }));
    EXPECT_EQ(order, "12");
}

TEST_F(BusTest, BacksOffAndKeepsTrying) {
    bus_.refuse = true;
    const auto start = std::chrono::steady_clock::now();
    bus_.client.start();
    ASSERT_TRUE(bus_.turn_until([&] { return bus_.attempts == 6; }));
    // 1 + 2 + 4 + 4 + 4 milliseconds.
    EXPECT_GE(std::chrono::steady_clock::now() - start, 15ms);
    bus_.refuse = false;
    EXPECT_TRUE(bus_.turn_until([&] { return bus_.client.connected(); }));
}

TEST_F(BusTest, StopEndsTheAttemptsAndTheLoop) {
    bus_.refuse = true;
    bus_.client.start();
    ASSERT_TRUE(bus_.turn_until([&] { return bus_.attempts >= 2; }));
    bus_.client.stop();
    const int attempts = bus_.attempts;
    bus_.turn();
    EXPECT_EQ(bus_.attempts, attempts);
    EXPECT_TRUE(bus_.context.stopped()) << "work is left on the loop";
}

TEST_F(BusTest, CancellationTakesTheCallBack) {
    connect();
    boost::asio::cancellation_signal signal;
    bool aborted = false;
    boost::asio::co_spawn(bus_.context, bus_.client.call(bus_.call_to("Silence"), 8s),
                          boost::asio::bind_cancellation_slot(
                              signal.slot(), [&](std::exception_ptr failure, Result<Message>) {
                                  try {
                                      if (failure) std::rethrow_exception(failure);
                                  } catch (const boost::system::system_error& error) {
                                      aborted =
                                          error.code() == boost::asio::error::operation_aborted;
                                  }
                              }));
    ASSERT_TRUE(bus_.turn_until([&] { return received_ == 1; }));
    signal.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(bus_.turn_until([&] { return aborted; }));
}

TEST_F(BusTest, MessageOfADeadConnectionIsNotSentOnTheNextOne) {
    connect();
    Message stale = bus_.call_to("Ping");
    bus_.kill_peer();
    ASSERT_TRUE(bus_.turn_until([&] { return bus_.attempts == 2 && bus_.client.connected(); }));
    const Result<Message> answer = run(bus_.context, bus_.client.call(std::move(stale), 5s));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::unreachable);
    EXPECT_EQ(received_, 0);
}

TEST_F(BusTest, CallThatCannotBeBuiltIsInvalid) {
    connect();
    sd_bus_message* raw = nullptr;
    EXPECT_LT(sd_bus_message_new_method_call(bus_.client.handle(), &raw, "org.example.Peer",
                                             "no path", "org.example.Peer", "Ping"),
              0);
    const Result<Message> answer = run(bus_.context, bus_.client.call(Message(raw), 5s));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::invalid);
}

TEST_F(BusTest, ManyMessagesAreAllAnswered) {
    connect();
    int answers = 0;
    for (int index = 0; index < 300; ++index) {
        boost::asio::co_spawn(bus_.context, bus_.client.call(bus_.call_to("Ping"), 5s),
                              [&](std::exception_ptr failure, const Result<Message>& answer) {
                                  EXPECT_FALSE(failure);
                                  if (answer) ++answers;
                              });
    }
    EXPECT_TRUE(bus_.turn_until([&] { return answers == 300; }));
}

TEST_F(BusTest, IdleBusLeavesTheLoopAsleep) {
    connect();
    bus_.turn();
    bus_.context.restart();
    const auto handlers = bus_.context.run_for(30ms);
    EXPECT_EQ(handlers, 0U);
}

TEST(SystemBus, MissingSocketIsUnreachable) {
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/socket", 1);
    const Result<BusHandle> bus = system_bus()();
    ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    ASSERT_FALSE(bus);
    EXPECT_EQ(bus.error().fault, Fault::unreachable);
}

}  // namespace
}  // namespace keyturn::testing
