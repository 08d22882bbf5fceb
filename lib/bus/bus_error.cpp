#include "bus/bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace keyturn {

namespace {

struct KnownError {
    std::string_view name;
    Fault fault;
};

/// Errors of D-Bus itself, of sd-bus and of systemd that have a more precise fault than `invalid`.
constexpr std::array known_errors{
    KnownError{"org.freedesktop.DBus.Error.NoReply", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.Timeout", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.TimedOut", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.Disconnected", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.NoServer", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.ServiceUnknown", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.NameHasNoOwner", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.LimitsExceeded", Fault::unreachable},
    KnownError{"org.freedesktop.systemd1.ShuttingDown", Fault::unreachable},
    KnownError{"System.Error.ETIMEDOUT", Fault::unreachable},
    KnownError{"System.Error.ECONNRESET", Fault::unreachable},
    KnownError{"System.Error.ENOTCONN", Fault::unreachable},
    KnownError{"org.freedesktop.DBus.Error.AccessDenied", Fault::denied},
    KnownError{"org.freedesktop.DBus.Error.AuthFailed", Fault::denied},
    KnownError{"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", Fault::denied},
    KnownError{"System.Error.EPERM", Fault::denied},
    KnownError{"org.freedesktop.DBus.Error.UnknownObject", Fault::missing},
    KnownError{"org.freedesktop.DBus.Error.UnknownInterface", Fault::missing},
    KnownError{"org.freedesktop.DBus.Error.UnknownMethod", Fault::missing},
    KnownError{"org.freedesktop.DBus.Error.UnknownProperty", Fault::missing},
    KnownError{"org.freedesktop.DBus.Error.FileNotFound", Fault::missing},
    KnownError{"org.freedesktop.systemd1.NoSuchUnit", Fault::missing},
    KnownError{"org.freedesktop.systemd1.NoSuchJob", Fault::missing},
    KnownError{"org.freedesktop.systemd1.LoadFailed", Fault::missing},
    KnownError{"org.freedesktop.systemd1.UnitMasked", Fault::missing},
    KnownError{"org.freedesktop.systemd1.TransactionIsDestructive", Fault::conflict},
    KnownError{"org.freedesktop.systemd1.TransactionJobsConflicting", Fault::conflict},
};

Fault fault_of(std::string_view name) {
    const auto* const known = std::ranges::find(known_errors, name, &KnownError::name);
    return known == known_errors.end() ? Fault::invalid : known->fault;
}

}  // namespace

Error bus_error(const sd_bus_error& error) {
    const std::string_view name = error.name != nullptr ? error.name : "an error without a name";
    const std::string_view message = error.message != nullptr ? error.message : "";
    if (message.empty()) return Error{fault_of(name), std::string(name)};
    return Error{fault_of(name), fmt::format("{}: {}", name, message)};
}

}  // namespace keyturn
