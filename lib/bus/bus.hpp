#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "time/moment.hpp"

#include <boost/asio/io_context.hpp>
#include <systemd/sd-bus.h>

#include <functional>
#include <memory>

namespace keyturn {

struct BusDeleter {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
    void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using BusHandle = std::unique_ptr<sd_bus, BusDeleter>;
using Message = std::unique_ptr<sd_bus_message, BusDeleter>;
using Slot = std::unique_ptr<sd_bus_slot, BusDeleter>;

/// How long to wait before a lost bus is tried again: `first`, then twice as long each time.
struct BusBackoff {
    Milliseconds first{500};
    Milliseconds longest{30'000};
};

/// One sd-bus connection inside Asio. Opens it, pumps it, and after it has died (dbus-daemon was
/// restarted) opens it anew with a back-off; sd-bus itself never reconnects.
class Bus {
  public:
    /// Opens a connection and starts it without waiting for the other side: the system bus for the
    /// daemon, one end of a socket pair in tests.
    using Opener = std::function<Result<BusHandle>()>;

    Bus(boost::asio::io_context& context, Opener open, BusBackoff backoff = BusBackoff{});
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    /// Called with every new connection, the first included, once it is usable and before any
    /// message on it is dispatched: install matches, objects and names. Called at once if there is
    /// a connection already. Order of registration. Must not block, so only the `_async` variants
    /// of sd_bus_add_match and sd_bus_request_name will do. Slots belong to that connection: let
    /// them float, or drop them in `on_disconnect`.
    void on_connect(std::function<void(sd_bus*)> install);

    /// Called when a usable connection is lost, before the next attempt; `handle` is null by then.
    void on_disconnect(std::function<void()> forget);

    /// Starts connecting. A bus that is down is not an error: it is tried again until `stop`.
    void start();

    /// Closes the connection; calls under way end as `unreachable`. No hook is called.
    void stop();

    [[nodiscard]] bool connected() const;

    /// The connection of now, nullptr while there is none that is usable.
    [[nodiscard]] sd_bus* handle() const;

    /// To be called after anything that queued a message or made an earlier timeout, because
    /// sd-bus does not tell its event loop.
    void kick();

    /// Sends a method call and waits for its reply. `unreachable` when the bus is down, dies, or
    /// `timeout` passes; other errors by the D-Bus name (`denied`, `missing`, `conflict`, else
    /// `invalid`), with name and message in the text. Completes by post, never inside sd-bus.
    /// Throws `operation_aborted` on cancellation; the reply is dropped then.
    Task<Result<Message>> call(Message message, Milliseconds timeout);

    /// As `call`, but an error that the callee itself sent is an answer: a message for which
    /// sd_bus_message_is_method_error holds. For callers to whom the error's name matters.
    Task<Result<Message>> exchange(Message message, Milliseconds timeout);

  private:
    class Pump;
    std::shared_ptr<Pump> pump_;
};

/// Opens the system bus ($DBUS_SYSTEM_BUS_ADDRESS, if set) without blocking on its daemon.
[[nodiscard]] Bus::Opener system_bus();

/// The fault and text for a D-Bus error.
[[nodiscard]] Error bus_error(const sd_bus_error& error);

}  // namespace keyturn
