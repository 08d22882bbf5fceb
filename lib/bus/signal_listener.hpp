#pragma once

#include "bus/bus.hpp"

#include <functional>
#include <memory>
#include <string>

namespace keyturn {

/// One kind of signal, and who sends it. The texts are literals.
struct SignalKind {
    const char* sender;  ///< A well-known name; `org.freedesktop.DBus` is the bus daemon itself.
    const char* path;
    const char* interface;
    const char* member;
};

/// The one way to listen to signals (a house rule). Any user of the bus can send us a signal of any
/// kind: the bus daemon delivers what is addressed to us, and sd-bus then takes the sender for
/// whoever the match names. So a signal gets through only if it comes from the connection that owns
/// the sender's name, as the bus daemon says: it is asked on each new connection, and tells of
/// changes since. Its own name cannot be had by others.
class SignalListener {
  public:
    /// Called from inside the bus pump.
    using Heard = std::function<void(sd_bus_message* signal)>;

    /// Listens on every connection of `bus`, from its start, until the listener is dropped.
    [[nodiscard]] static std::shared_ptr<SignalListener> make(Bus& bus, SignalKind kind,
                                                              Heard heard);

    SignalListener(SignalKind kind, Heard heard) : kind_(kind), heard_(std::move(heard)) {}

  private:
    void install(sd_bus* bus);
    void forget();
    void follow_owner(sd_bus* bus);
    [[nodiscard]] bool is_the_bus() const;
    static int on_signal(sd_bus_message* signal, void* self, sd_bus_error* error);
    static int on_owner(sd_bus_message* reply, void* self, sd_bus_error* error);
    static int on_owner_changed(sd_bus_message* signal, void* self, sd_bus_error* error);

    SignalKind kind_;
    Heard heard_;
    std::string owner_;  ///< The unique name; empty: nobody.
    Slot match_;
    Slot owner_question_;
    Slot owner_match_;
};

/// Adds a match for a signal of the bus daemon itself, whose first argument is `about`, and calls
/// `heard` for those that it has really sent.
[[nodiscard]] Slot match_owner_changes(sd_bus* bus, const std::string& about,
                                       sd_bus_message_handler_t heard, void* self);

/// Whether the bus daemon itself has sent this message.
[[nodiscard]] bool from_the_bus(sd_bus_message* message);

}  // namespace keyturn
