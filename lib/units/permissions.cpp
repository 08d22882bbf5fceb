#include "units/permissions.hpp"

#include "bus/bus.hpp"
#include "units/manager_call.hpp"
#include "units/unit_error.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

Message start_polkit(sd_bus* bus) {
    if (bus == nullptr) return nullptr;
    sd_bus_message* raw = nullptr;
    sd_bus_message_new_method_call(bus, &raw, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                   "org.freedesktop.DBus", "StartServiceByName");
    Message message(raw);
    if (message) sd_bus_message_append(raw, "su", "org.freedesktop.PolicyKit1", 0U);
    return message;
}

/// Calls the method itself, in a mode that systemd refuses, but only after it has asked polkit. A
/// stop must not use "triggering", because systemd would carry it out.
Message question_about(sd_bus* bus, const std::string& unit, UnitVerb verb) {
    const bool stop = verb == UnitVerb::stop;
    const char* restart = verb == UnitVerb::restart ? "RestartUnit" : "TryRestartUnit";
    Message message = manager_call(bus, stop ? "StopUnit" : restart);
    const char* mode = stop ? "isolate" : "triggering";
    if (message) sd_bus_message_append(message.get(), "ss", unit.c_str(), mode);
    return message;
}

}  // namespace

Task<Result<Permission>> Permissions::may(std::string unit, UnitVerb verb) {
    const std::size_t silences = silences_;
    const Baton::Holding holding = co_await baton_.take();
    if (silences_ != silences) co_return *silence_;
    const Result<Permission> answer = co_await ask(std::move(unit), verb);
    if (!answer) {
        silence_ = answer.error();
        ++silences_;
    }
    co_return answer;
}

Task<Result<Permission>> Permissions::ask(std::string unit, UnitVerb verb) {
    Message message = question_about(bus_.handle(), unit, verb);
    const Result<Message> answer = co_await bus_.exchange(std::move(message), patience_);
    const std::string context = fmt::format("cannot ask whether keyturnd may restart {}", unit);
    if (!answer) co_return with_context(context, answer.error());
    sd_bus_error error{"", "systemd gave no error", 0};
    const bool failed = sd_bus_message_is_method_error(answer->get(), nullptr) > 0;
    if (failed) error = *sd_bus_message_get_error(answer->get());
    const std::string_view name = error.name;
    if (name == "org.freedesktop.DBus.Error.InvalidArgs") co_return Permission::granted;
    if (name == "org.freedesktop.systemd1.OnlyByDependency") co_return Permission::not_by_hand;
    if (is_refusal(error)) {
        const bool there = co_await polkit_is_there();
        if (there) co_return Permission::refused;
        co_return polkit_silent(unit, "polkit is not running");
    }
    Error unknown = unit_error(error, "ask whether keyturnd may restart", unit, user_of_process());
    unknown.fault = Fault::busy;
    co_return unknown;
}

Task<bool> Permissions::polkit_is_there() {
    Message message = start_polkit(bus_.handle());
    const Result<Message> answer = co_await bus_.call(std::move(message), patience_);
    co_return answer.has_value();
}

}  // namespace keyturn
