#pragma once

#include "bus/bus.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace keyturn {

/// One kind of signal and its sender. The texts are literals.
struct SignalKind {
    const char* sender;  ///< A well-known name; `org.freedesktop.DBus` is the bus daemon itself.
    const char* path;
    const char* interface;
    const char* member;
};

/// The only way to listen to signals (a house rule). Any user of the bus can send keyturnd a signal
/// of any kind: the bus daemon delivers whatever is addressed to it, and sd-bus then believes that
/// the sender is the one that the match names. So a signal passes only if it comes from the
/// connection that owns the sender's name according to the bus daemon. The listener asks the bus
/// daemon on each new connection and hears about later changes. The bus daemon's own name cannot be
/// taken by others.
class SignalListener {
  public:
    /// Called from inside the bus pump.
    using Heard = std::function<void(sd_bus_message* signal)>;

    /// Listens on every connection of `bus`, from its start on, until the listener is dropped.
    [[nodiscard]] static std::shared_ptr<SignalListener> make(Bus& bus, SignalKind kind,
                                                              Heard heard);

    SignalListener(SignalKind kind, Heard heard) : kind_(kind), heard_(std::move(heard)) {}

    /// For `Bus::keep_installed`.
    void install(sd_bus* bus);
    void forget();

  private:
    void follow_owner(sd_bus* bus);
    [[nodiscard]] bool is_the_bus() const;
    static int on_signal(sd_bus_message* signal, void* self, sd_bus_error* error);
    static int on_owner(sd_bus_message* reply, void* self, sd_bus_error* error);
    static int on_owner_changed(sd_bus_message* signal, void* self, sd_bus_error* error);

    SignalKind kind_;
    Heard heard_;
    std::string owner_;  ///< The unique name of the owner; empty if there is none.
    Slot match_;
    Slot owner_question_;
    Slot owner_match_;
};

/// Adds a match for a signal of the bus daemon itself whose first argument is `about`. Calls
/// `heard` only for signals that the bus daemon really sent.
[[nodiscard]] Slot match_owner_changes(sd_bus* bus, const std::string& about,
                                       sd_bus_message_handler_t heard, void* self);

/// The name of the connection that sent this message; empty if it did not come over a bus.
[[nodiscard]] std::string_view sender_of(sd_bus_message* message);

/// True if the bus daemon itself sent this message.
[[nodiscard]] bool from_the_bus(sd_bus_message* message);

}  // namespace keyturn
