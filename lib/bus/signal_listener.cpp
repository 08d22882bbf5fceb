#include "bus/signal_listener.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

constexpr std::string_view bus_name = "org.freedesktop.DBus";

}  // namespace

std::string_view sender_of(sd_bus_message* message) {
    const char* sender = sd_bus_message_get_sender(message);
    return sender != nullptr ? sender : "";
}

bool from_the_bus(sd_bus_message* message) {
    return sender_of(message) == bus_name;
}

Slot match_owner_changes(sd_bus* bus, const std::string& about, sd_bus_message_handler_t heard,
                         void* self) {
    const std::string match = fmt::format(
        "type='signal',sender='{0}',path='/org/freedesktop/DBus',interface='{0}',"
        "member='NameOwnerChanged',arg0='{1}'",
        bus_name, about);
    sd_bus_slot* slot = nullptr;
    sd_bus_add_match_async(bus, &slot, match.c_str(), heard, nullptr, self);
    return Slot(slot);
}

std::shared_ptr<SignalListener> SignalListener::make(Bus& bus, SignalKind kind, Heard heard) {
    auto listener = std::make_shared<SignalListener>(kind, std::move(heard));
    bus.keep_installed(listener);
    return listener;
}

bool SignalListener::is_the_bus() const {
    return kind_.sender == bus_name;
}

/// If a match cannot be added, callers depend on their regular checks, which they make anyway.
void SignalListener::install(sd_bus* bus) {
    forget();
    sd_bus_slot* slot = nullptr;
    sd_bus_match_signal_async(bus, &slot, kind_.sender, kind_.path, kind_.interface, kind_.member,
                              on_signal, nullptr, this);
    match_.reset(slot);
    if (is_the_bus()) {
        owner_ = bus_name;
    } else {
        follow_owner(bus);
    }
}

/// Adds the match first, so that it also hears a change after the answer.
void SignalListener::follow_owner(sd_bus* bus) {
    owner_match_ = match_owner_changes(bus, kind_.sender, on_owner_changed, this);
    sd_bus_slot* question = nullptr;
    sd_bus_call_method_async(bus, &question, bus_name.data(), "/org/freedesktop/DBus",
                             bus_name.data(), "GetNameOwner", on_owner, this, "s", kind_.sender);
    owner_question_.reset(question);
}

void SignalListener::forget() {
    match_.reset();
    owner_match_.reset();
    owner_question_.reset();
    owner_.clear();
}

int SignalListener::on_signal(sd_bus_message* signal, void* self, sd_bus_error* /*error*/) {
    const auto& listener = *static_cast<SignalListener*>(self);
    const bool genuine = !listener.owner_.empty() && sender_of(signal) == listener.owner_;
    if (genuine) listener.heard_(signal);
    return 0;
}

/// If nobody owns the name, nobody can send signals in its name.
int SignalListener::on_owner(sd_bus_message* reply, void* self, sd_bus_error* /*error*/) {
    const char* owner = nullptr;
    const bool told = sd_bus_message_is_method_error(reply, nullptr) == 0 &&
                      sd_bus_message_read(reply, "s", &owner) > 0;
    if (told) static_cast<SignalListener*>(self)->owner_ = owner;
    return 0;
}

int SignalListener::on_owner_changed(sd_bus_message* signal, void* self, sd_bus_error* /*error*/) {
    const char* name = nullptr;
    const char* owner = nullptr;
    auto& listener = *static_cast<SignalListener*>(self);
    if (!from_the_bus(signal) || sd_bus_message_read(signal, "sss", &name, nullptr, &owner) <= 0)
        return 0;
    if (std::string_view(name) == listener.kind_.sender) listener.owner_ = owner;
    return 0;
}

}  // namespace keyturn
