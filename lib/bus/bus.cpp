#include "bus/bus.hpp"

#include "bus/pump.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>

namespace keyturn {

namespace asio = boost::asio;

namespace {

int on_reply(sd_bus_message* reply, void* call, sd_bus_error* /*error*/) {
    static_cast<PendingCall*>(call)->finish(Message(sd_bus_message_ref(reply)));
    return 1;
}

/// The error that an answer is; nothing if it is a reply.
std::optional<Error> error_in(const Result<Message>& answer) {
    if (!answer || sd_bus_message_is_method_error(answer->get(), nullptr) <= 0) return std::nullopt;
    return bus_error(*sd_bus_message_get_error(answer->get()));
}

}  // namespace

std::optional<Error> Bus::Pump::try_to_send(sd_bus_message* message, PendingCall& call,
                                            Milliseconds timeout) {
    if (handle() == nullptr) return down();
    if (message == nullptr) return Error{Fault::invalid, "the method call could not be built"};
    // The message was made for a connection that has since died; its serial number is invalid on
    // this one.
    if (sd_bus_message_get_bus(message) != bus_.get()) return down();
    const auto microseconds = std::chrono::microseconds(std::max(timeout, Milliseconds{1}));
    sd_bus_slot* slot = nullptr;
    const int status = sd_bus_call_async(bus_.get(), &slot, message, on_reply, &call,
                                         static_cast<std::uint64_t>(microseconds.count()));
    if (status < 0) {
        Error error = errno_error(-status, "cannot send a method call");
        error.fault =
            status == -EINVAL || status == -EMSGSIZE ? Fault::invalid : Fault::unreachable;
        return error;
    }
    call.slot.reset(slot);
    return std::nullopt;
}

void Bus::Pump::send(sd_bus_message* message, PendingCall& call, Milliseconds timeout) {
    if (auto error = try_to_send(message, call, timeout)) {
        call.finish(std::move(*error));
        return;
    }
    calls_.push_back(call);
    kick();
}

Task<Result<Message>> Bus::Pump::answer_to(PendingCall& call) {
    if (!call.outcome) co_await call.done.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!call.outcome) throw boost::system::system_error(asio::error::operation_aborted);
    // An error that sd-bus or the bus made because nobody answered is a failed exchange. An error
    // that the callee sent is an answer.
    auto error = error_in(*call.outcome);
    if (error && error->fault == Fault::unreachable) co_return std::move(*error);
    co_return std::move(*call.outcome);
}

Task<Result<Message>> Bus::Pump::exchange(std::shared_ptr<Pump> self, Message message,
                                          Milliseconds timeout) {
    PendingCall call(self->context_);
    self->send(message.get(), call, timeout);
    co_return co_await answer_to(call);
}

Task<std::vector<Result<Message>>> Bus::Pump::exchange_all(std::shared_ptr<Pump> self,
                                                           std::vector<Message> messages,
                                                           Milliseconds timeout) {
    std::list<PendingCall> calls;
    for (const Message& message : messages) {
        self->send(message.get(), calls.emplace_back(self->context_), timeout);
    }
    std::vector<Result<Message>> answers;
    // The last answer comes last, as a rule: then all are there.
    for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
        Result<Message> answer = co_await answer_to(*call);
        answers.push_back(std::move(answer));
    }
    std::ranges::reverse(answers);
    co_return answers;
}

Task<Result<Message>> Bus::Pump::call(std::shared_ptr<Pump> self, Message message,
                                      Milliseconds timeout) {
    Result<Message> answer = co_await exchange(std::move(self), std::move(message), timeout);
    if (auto error = error_in(answer)) co_return std::move(*error);
    co_return answer;
}

Bus::Bus(asio::io_context& context, Opener open, BusBackoff backoff)
    : pump_(std::make_shared<Pump>(context, std::move(open), backoff)) {}

Bus::~Bus() {
    pump_->stop();
}

void Bus::on_connect(std::function<void(sd_bus*)> install) {
    pump_->on_connect(std::move(install));
}

void Bus::on_disconnect(std::function<void()> forget) {
    pump_->on_disconnect(std::move(forget));
}

void Bus::start() {
    pump_->start();
}

void Bus::stop() {
    pump_->stop();
}

sd_bus* Bus::handle() const {
    return pump_->handle();
}

void Bus::kick() {
    pump_->kick();
}

Task<Result<Message>> Bus::call(Message message, Milliseconds timeout) {
    return Pump::call(pump_, std::move(message), timeout);
}

Task<Result<Message>> Bus::exchange(Message message, Milliseconds timeout) {
    return Pump::exchange(pump_, std::move(message), timeout);
}

Task<std::vector<Result<Message>>> Bus::exchange_all(std::vector<Message> messages,
                                                     Milliseconds timeout) {
    return Pump::exchange_all(pump_, std::move(messages), timeout);
}

}  // namespace keyturn
