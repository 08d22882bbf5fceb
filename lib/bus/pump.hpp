#pragma once

#include "bus/bus.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// A method call that was sent. It lives in the frame of the coroutine that waits for it.
/// Destroying it takes it out of the pump's list, and the slot removes the callback, so a late
/// reply reaches nobody.
struct PendingCall
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    explicit PendingCall(boost::asio::io_context& context)
        : done(context, boost::asio::steady_timer::time_point::max()) {}

    void finish(Result<Message> answer) {
        if (outcome) return;
        outcome.emplace(std::move(answer));
        done.cancel();  // Resumes the waiter by post.
    }

    boost::asio::steady_timer done;  ///< Never expires; cancelling it wakes the waiting coroutine.
    Slot slot;
    std::optional<Result<Message>> outcome;
};

/// Waits for the connection with a descriptor and timers. The Bus and the handlers under way share
/// ownership, so that a handler that is already posted when the Bus is destroyed still finds this
/// object. sd-bus owns the file descriptor; the Asio descriptor never does.
class Bus::Pump : public std::enable_shared_from_this<Bus::Pump> {
  public:
    Pump(boost::asio::io_context& context, Opener open, BusBackoff backoff)
        : context_(context),
          open_(std::move(open)),
          backoff_(backoff),
          descriptor_(context),
          timer_(context),
          retry_timer_(context) {}
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;
    ~Pump() { release_descriptor(); }

    void on_connect(std::function<void(sd_bus*)> install);
    void on_disconnect(std::function<void()> forget) { forget_.push_back(std::move(forget)); }

    void start();
    void stop();
    void kick();
    sd_bus* handle() const { return ready_ ? bus_.get() : nullptr; }

    /// `self` keeps the pump alive while the coroutine has a call in its list.
    static Task<Result<Message>> exchange(std::shared_ptr<Pump> self, Message message,
                                          Milliseconds timeout);
    static Task<std::vector<Result<Message>>> exchange_all(std::shared_ptr<Pump> self,
                                                           std::vector<Message> messages,
                                                           Milliseconds timeout);
    static Task<Result<Message>> call(std::shared_ptr<Pump> self, Message message,
                                      Milliseconds timeout);

  private:
    void open();
    void pump_later();
    void pump();
    int process();
    void become_ready();
    void arm();
    void arm_descriptor();
    void arm_waits();
    void arm_timer();
    void timer_is_over();
    void wait_for(boost::asio::posix::descriptor_base::wait_type type, bool Pump::*waiting);
    void lose(int errno_value);
    void retry();
    void disconnect();
    void release_descriptor();
    void send(sd_bus_message* message, PendingCall& call, Milliseconds timeout);
    std::optional<Error> try_to_send(sd_bus_message* message, PendingCall& call,
                                     Milliseconds timeout);
    static Task<Result<Message>> answer_to(PendingCall& call);
    Error down() const;

    boost::asio::io_context& context_;
    Opener open_;
    BusBackoff backoff_;
    // Lists, because a hook may register another hook while it runs.
    std::list<std::function<void(sd_bus*)>> install_;
    std::list<std::function<void()>> forget_;

    BusHandle bus_;
    bool started_ = false;
    bool ready_ = false;   ///< Authenticated, and the hooks have been called.
    bool posted_ = false;  ///< A call of `pump` is posted.
    bool pumping_ = false;
    std::string problem_ = "not connected yet";
    Milliseconds next_delay_{0};  ///< Zero means the first delay.

    /// Counts connections, so that a wait on an old connection does not affect a new one.
    unsigned connection_number_ = 0;
    boost::asio::posix::stream_descriptor descriptor_;
    bool reading_ = false;
    bool writing_ = false;
    boost::asio::steady_timer timer_;
    std::optional<std::uint64_t> timer_armed_for_;  ///< CLOCK_MONOTONIC in microseconds.
    boost::asio::steady_timer retry_timer_;

    boost::intrusive::list<PendingCall, boost::intrusive::constant_time_size<false>> calls_;
};

}  // namespace keyturn
