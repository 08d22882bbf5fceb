#pragma once

#include "bus/bus.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <vector>

namespace keyturn::testing {

using namespace std::chrono_literals;

/// Runs `task` on the loop and gives back what it returned. The guard time is far above anything
/// that these tests wait for.
template <class T>
T run(boost::asio::io_context& context, Task<T> task) {
    std::optional<T> answer;
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(task),
                          [&](std::exception_ptr error, std::optional<T> value) {
                              failure = error;
                              answer = std::move(value);
                              context.stop();
                          });
    context.restart();
    context.run_for(10s);
    if (failure) std::rethrow_exception(failure);
    if (!answer) throw std::runtime_error("the task did not end in ten seconds");
    return std::move(*answer);
}

/// A bus of two: a client, and a peer in the same process that plays whoever the client calls.
/// Each connection is a new socket pair with a new peer, so that reconnecting can be watched.
class PrivateBus {
  public:
    explicit PrivateBus(BusBackoff backoff = BusBackoff{1ms, 4ms})
        : client(
              context, [this] { return open(); }, backoff) {}

    /// Turns the loop for a while, for what happens without anybody waiting for it.
    void turn(std::chrono::milliseconds duration = 20ms) {
        context.restart();
        context.run_for(duration);
    }

    /// Turns the loop until `condition` holds.
    [[nodiscard]] bool turn_until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        context.restart();
        while (!condition() && std::chrono::steady_clock::now() < end) context.run_one_for(10ms);
        return condition();
    }

    /// The peer of the connection of now; nullptr while it has not been accepted.
    [[nodiscard]] sd_bus* peer() const { return peers.empty() ? nullptr : peers.back()->handle(); }

    /// As a dbus-daemon that gets killed: the socket closes.
    void kill_peer() { peers.back()->stop(); }

    [[nodiscard]] Message call_to(const char* member) const {
        sd_bus_message* raw = nullptr;
        EXPECT_GE(sd_bus_message_new_method_call(client.handle(), &raw, "org.example.Peer",
                                                 "/org/example", "org.example.Peer", member),
                  0);
        return Message(raw);
    }

    boost::asio::io_context context{1};
    std::function<void(sd_bus*)> set_up_peer = [](sd_bus*) {};
    bool refuse = false;  ///< As a bus whose socket does not exist.
    int attempts = 0;
    std::vector<std::unique_ptr<Bus>> peers;
    Bus client;

  private:
    Result<BusHandle> open() {
        ++attempts;
        if (refuse) return Error{Fault::unreachable, "refused by the test"};
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
            return errno_error(errno, "socketpair");
        const int peer_end = ends[1];
        auto open_peer = [peer_end]() -> Result<BusHandle> { return wrap(peer_end, true); };
        peers.push_back(std::make_unique<Bus>(context, open_peer));
        peers.back()->on_connect([this](sd_bus* bus) { set_up_peer(bus); });
        peers.back()->start();
        return wrap(ends[0], false);
    }

    static Result<BusHandle> wrap(int fd, bool is_server) {
        sd_bus* raw = nullptr;
        EXPECT_GE(sd_bus_new(&raw), 0);
        BusHandle bus(raw);
        EXPECT_GE(sd_bus_set_fd(raw, fd, fd), 0);
        if (is_server) {
            sd_id128_t id{};
            EXPECT_GE(sd_id128_randomize(&id), 0);
            EXPECT_GE(sd_bus_set_server(raw, 1, id), 0);
            EXPECT_GE(sd_bus_set_sender(raw, "org.freedesktop.systemd1"), 0);
        }
        EXPECT_GE(sd_bus_set_anonymous(raw, 1), 0);
        EXPECT_GE(sd_bus_set_trusted(raw, 1), 0);
        EXPECT_GE(sd_bus_start(raw), 0);
        return bus;
    }
};

}  // namespace keyturn::testing
