#include "bus/pump.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <poll.h>

namespace keyturn {

namespace asio = boost::asio;

namespace {

/// After this many messages, other work of the loop gets its turn.
constexpr int messages_per_turn_max = 64;

}  // namespace

void Bus::Pump::on_connect(std::function<void(sd_bus*)> install) {
    const auto& kept = install_.emplace_back(std::move(install));
    if (!ready_) return;
    kept(bus_.get());
    kick();
}

void Bus::Pump::start() {
    if (started_) return;
    started_ = true;
    open();
}

void Bus::Pump::stop() {
    started_ = false;
    problem_ = "closed";
    retry_timer_.cancel();
    disconnect();
}

void Bus::Pump::open() {
    Result<BusHandle> opened = open_();
    if (!opened) {
        problem_ = opened.error().text;
        retry();
        return;
    }
    bus_ = std::move(opened).value();
    ++connection_number_;
    pump_later();
}

/// sd-bus writes at once what the socket takes. What is left then is the timeout of a call.
void Bus::Pump::kick() {
    if (pumping_ || !bus_) return;  // `pump` ends by looking at everything.
    std::uint64_t unwritten = 0;
    const bool written =
        ready_ && sd_bus_get_n_queued_write(bus_.get(), &unwritten) >= 0 && unwritten == 0;
    written ? arm_timer() : pump_later();
}

void Bus::Pump::pump_later() {
    if (posted_) return;
    posted_ = true;
    asio::post(context_, [self = shared_from_this()] {
        self->posted_ = false;
        self->pump();
    });
}

void Bus::Pump::pump() {
    if (!bus_) return;
    const unsigned connection = connection_number_;
    pumping_ = true;
    const int status = process();
    pumping_ = false;
    // A handler may have called `stop`, or even `start` again.
    if (!bus_ || connection != connection_number_) return;
    if (status < 0) {
        lose(-status);
        return;
    }
    if (status > 0) pump_later();
    arm();
}

/// Returns a positive value if there may be more to do, and a negative one if the connection is
/// dead.
int Bus::Pump::process() {
    const unsigned connection = connection_number_;
    for (int count = 0; count < messages_per_turn_max; ++count) {
        const int status = sd_bus_process(bus_.get(), nullptr);
        if (!bus_ || connection != connection_number_ || status < 0) return status;
        if (!ready_ && sd_bus_is_ready(bus_.get()) > 0) become_ready();
        if (!bus_ || connection != connection_number_ || status == 0) return status;
    }
    return 1;
}

void Bus::Pump::become_ready() {
    ready_ = true;
    next_delay_ = Milliseconds{0};
    const unsigned connection = connection_number_;
    for (const auto& install : install_) {
        install(bus_.get());
        if (!bus_ || connection != connection_number_) return;
    }
}

/// Asks sd-bus for its descriptor, events and timeout again, as sd_bus_get_fd(3) requires before
/// each poll().
void Bus::Pump::arm() {
    arm_descriptor();
    if (!bus_) return;
    arm_waits();
    arm_timer();
}

void Bus::Pump::arm_descriptor() {
    const int fd = sd_bus_get_fd(bus_.get());
    if (fd < 0) {
        lose(-fd);
        return;
    }
    // Before the connection is ready, sd-bus may move on to its next address. The new socket can
    // have the same number, and Asio's reactor would then not know it.
    if (ready_ && descriptor_.is_open() && descriptor_.native_handle() == fd) return;
    release_descriptor();
    boost::system::error_code failure;
    descriptor_.assign(fd, failure);
    if (failure) lose(failure.value());
}

void Bus::Pump::arm_waits() {
    const int events = sd_bus_get_events(bus_.get());
    if (events < 0) {
        lose(-events);
        return;
    }
    using Wait = asio::posix::descriptor_base;
    if ((events & POLLIN) != 0) wait_for(Wait::wait_read, &Pump::reading_);
    if ((events & POLLOUT) != 0) wait_for(Wait::wait_write, &Pump::writing_);
}

void Bus::Pump::wait_for(asio::posix::descriptor_base::wait_type type, bool Pump::*waiting) {
    if (this->*waiting) return;
    this->*waiting = true;
    descriptor_.async_wait(type, [self = shared_from_this(), waiting,
                                  number = connection_number_](boost::system::error_code failure) {
        // An aborted wait belongs to a descriptor that has since been released.
        if (failure || number != self->connection_number_) return;
        (*self).*waiting = false;
        self->pump();
    });
}

/// A timer that comes too early is kept, because it costs less than a new one for each call.
void Bus::Pump::arm_timer() {
    std::uint64_t when = 0;
    if (!bus_) return;
    if (sd_bus_get_timeout(bus_.get(), &when) < 0 || when == UINT64_MAX) return;
    if (timer_armed_for_ && *timer_armed_for_ <= when) return;
    timer_armed_for_ = when;
    // libstdc++'s steady_clock is CLOCK_MONOTONIC, like sd-bus's timeouts. A timeout beyond the
    // range of its nanoseconds never comes.
    const auto due = std::chrono::microseconds(
        std::min<std::uint64_t>(when, static_cast<std::uint64_t>(INT64_MAX / 1'000)));
    timer_.expires_at(asio::steady_timer::time_point(due));
    timer_.async_wait([self = shared_from_this()](boost::system::error_code failure) {
        if (!failure) self->timer_is_over();
    });
}

/// The call that it was set for may have been answered long ago.
void Bus::Pump::timer_is_over() {
    const std::uint64_t set_for = std::exchange(timer_armed_for_, std::nullopt).value_or(0);
    std::uint64_t when = 0;
    const bool due =
        bus_ && sd_bus_get_timeout(bus_.get(), &when) >= 0 && when != UINT64_MAX && when <= set_for;
    due ? pump() : arm_timer();
}

void Bus::Pump::lose(int errno_value) {
    problem_ = errno_error(errno_value, "the connection was lost").text;
    const bool was_ready = ready_;
    disconnect();
    if (was_ready) {
        for (const auto& forget : forget_) forget();
    }
    if (started_ && !bus_) retry();
}

void Bus::Pump::retry() {
    next_delay_ = next_delay_ == Milliseconds{0} ? backoff_.first
                                                 : std::min(2 * next_delay_, backoff_.longest);
    retry_timer_.expires_after(next_delay_);
    retry_timer_.async_wait([self = shared_from_this()](boost::system::error_code failure) {
        if (!failure && self->started_ && !self->bus_) self->open();
    });
}

void Bus::Pump::disconnect() {
    ready_ = false;
    ++connection_number_;
    release_descriptor();
    timer_.cancel();
    timer_armed_for_.reset();
    bus_.reset();
    for (PendingCall& call : calls_) call.finish(down());
}

void Bus::Pump::release_descriptor() {
    if (descriptor_.is_open()) descriptor_.release();
    reading_ = false;
    writing_ = false;
}

Error Bus::Pump::down() const {
    return Error{Fault::unreachable, fmt::format("the bus is down ({})", problem_)};
}

}  // namespace keyturn
