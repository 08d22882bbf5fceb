#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "time/moment.hpp"

#include <boost/asio/io_context.hpp>
#include <systemd/sd-bus.h>

#include <functional>
#include <memory>
#include <vector>

namespace keyturn {

struct BusDeleter {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using BusHandle = std::unique_ptr<sd_bus, BusDeleter>;
using Message = std::unique_ptr<sd_bus_message, BusDeleter>;
using Slot = std::unique_ptr<sd_bus_slot, BusDeleter>;

/// How long to wait before reconnecting to a lost bus: `first`, then twice as long each time.
struct BusBackoff {
    Milliseconds first{500};
    Milliseconds longest{30'000};
};

/// One sd-bus connection inside Asio. Opens it, pumps it, and reopens it with a back-off after it
/// died (dbus-daemon was restarted). sd-bus itself never reconnects.
class Bus {
  public:
    /// Opens a connection and starts it without waiting for the other side: the system bus in the
    /// daemon, one end of a socket pair in tests.
    using Opener = std::function<Result<BusHandle>()>;

    Bus(boost::asio::io_context& context, Opener open, BusBackoff backoff = BusBackoff{});
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    /// Calls `install` with every new connection, including the first, once it is usable and before
    /// any message on it is dispatched: this is the place to install matches, objects and names.
    /// Calls it immediately if there is already a connection. Hooks run in the order of
    /// registration. They must not block, so only the `_async` variants of sd_bus_add_match and
    /// sd_bus_request_name are allowed. Slots belong to that connection: let them float, or drop
    /// them in `on_disconnect`.
    void on_connect(std::function<void(sd_bus*)> install);

    /// Calls `forget` when a usable connection is lost, before the next attempt; `handle` is then
    /// null.
    void on_disconnect(std::function<void()> forget);

    /// Calls `part->install` and `part->forget` in the same way, as long as the part lives.
    template <class Part>
    void keep_installed(const std::shared_ptr<Part>& part) {
        on_connect([weak = std::weak_ptr(part)](sd_bus* connection) {
            if (const auto alive = weak.lock()) alive->install(connection);
        });
        on_disconnect([weak = std::weak_ptr(part)] {
            if (const auto alive = weak.lock()) alive->forget();
        });
    }

    /// Starts connecting. A bus that is down is not an error: attempts continue until `stop`.
    void start();

    /// Closes the connection. Calls under way end as `unreachable`. Calls no hooks.
    void stop();

    [[nodiscard]] bool connected() const { return handle() != nullptr; }

    /// The current connection; nullptr while there is no usable one.
    [[nodiscard]] sd_bus* handle() const;

    /// Must be called after anything that queued a message or set an earlier timeout, because
    /// sd-bus does not notify its event loop.
    void kick();

    /// Sends a method call and waits for its reply. Faults: `unreachable` if the bus is down, dies,
    /// or `timeout` passes; otherwise by the D-Bus error's name (`denied`, `missing`, `conflict`,
    /// else `invalid`), with name and message in the text. Completes by post, never inside sd-bus.
    /// Throws `operation_aborted` on cancellation and then drops the reply.
    Task<Result<Message>> call(Message message, Milliseconds timeout);

    /// Like `call`, but an error from the callee itself is returned as an answer, a message for
    /// which sd_bus_message_is_method_error is true. This is for callers that need the error's
    /// name.
    Task<Result<Message>> exchange(Message message, Milliseconds timeout);

    /// Sends several method calls before it waits for the answers, which are in the same order.
    Task<std::vector<Result<Message>>> exchange_all(std::vector<Message> messages,
                                                    Milliseconds timeout);

  private:
    class Pump;
    std::shared_ptr<Pump> pump_;
};

/// Opens the system bus ($DBUS_SYSTEM_BUS_ADDRESS, if set) without waiting for its daemon.
[[nodiscard]] Bus::Opener system_bus();

/// Converts a D-Bus error into a fault and a text.
[[nodiscard]] Error bus_error(const sd_bus_error& error);

}  // namespace keyturn
