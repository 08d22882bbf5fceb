#pragma once

#include "bus/bus.hpp"

namespace keyturn {

inline constexpr const char* systemd_name = "org.freedesktop.systemd1";
inline constexpr const char* systemd_path = "/org/freedesktop/systemd1";
inline constexpr const char* systemd_interface = "org.freedesktop.systemd1.Manager";

/// A call of systemd's manager object, still without arguments. Null without a connection; sending
/// it then fails because the bus is down.
[[nodiscard]] inline Message manager_call(sd_bus* bus, const char* member) {
    if (bus == nullptr) return nullptr;
    sd_bus_message* raw = nullptr;
    sd_bus_message_new_method_call(bus, &raw, systemd_name, systemd_path, systemd_interface,
                                   member);
    return Message(raw);
}

}  // namespace keyturn
