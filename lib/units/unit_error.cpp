#include "units/unit_error.hpp"

#include "bus/bus.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace keyturn {

namespace {

constexpr std::string_view rules_file = "/etc/polkit-1/rules.d/50-keyturn.rules";

/// systemd asks polkit over the bus, which starts polkit.service; if that unit is masked, the error
/// of that start becomes the answer to our call, with our unit nowhere in it.
Error masked(std::string_view message, const std::string& unit) {
    if (message.find(unit) != std::string_view::npos) {
        return Error{Fault::missing,
                     fmt::format("{} is masked: run `systemctl unmask {}`, or take it out of the "
                                 "policy",
                                 unit, unit)};
    }
    return Error{Fault::denied,
                 fmt::format("systemd could not ask polkit about {} ({}): run `systemctl unmask "
                             "polkit.service && systemctl start polkit.service`",
                             unit, message)};
}

Error refused_by_polkit(std::string_view action, const std::string& unit, std::string_view user) {
    return Error{Fault::denied,
                 fmt::format("polkit does not allow user {} to {} {}: write the rule for this unit "
                             "into {} (and install polkitd, if this host has none)",
                             user, action, unit, rules_file)};
}

}  // namespace

Error unit_error(const sd_bus_error& error, std::string_view action, const std::string& unit,
                 std::string_view user) {
    const std::string_view name = error.name != nullptr ? error.name : "";
    const std::string_view message = error.message != nullptr ? error.message : "";
    if (name == "org.freedesktop.systemd1.UnitMasked") return masked(message, unit);
    if (name == "org.freedesktop.systemd1.NoSuchUnit") {
        return Error{Fault::missing, fmt::format("there is no unit {}", unit)};
    }
    if (name == "org.freedesktop.systemd1.LoadFailed" ||
        name == "org.freedesktop.systemd1.BadUnitSetting") {
        return Error{Fault::missing,
                     fmt::format("systemd cannot load {} ({}): see `systemctl status {}`", unit,
                                 message, unit)};
    }
    if (name == "org.freedesktop.systemd1.TransactionIsDestructive" ||
        name == "org.freedesktop.systemd1.TransactionJobsConflicting") {
        return Error{Fault::conflict,
                     fmt::format("another job for {} is under way, which we do not override: see "
                                 "`systemctl list-jobs`",
                                 unit)};
    }
    if (name == "org.freedesktop.systemd1.OnlyByDependency") {
        return Error{Fault::denied,
                     fmt::format("{} refuses to be started or stopped by hand: remove "
                                 "RefuseManualStart= and RefuseManualStop= from it",
                                 unit)};
    }
    if (name == "org.freedesktop.DBus.Error.AccessDenied" ||
        name == "org.freedesktop.DBus.Error.AuthFailed" ||
        name == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired") {
        return refused_by_polkit(action, unit, user);
    }
    return with_context(fmt::format("cannot {} {}", action, unit), bus_error(error));
}

std::string user_of_process() {
    // systemd sets it for units with User=.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the daemon has one thread.
    const char* user = ::secure_getenv("USER");
    if (user != nullptr && *user != '\0') return user;
    return fmt::format("uid {}", ::geteuid());
}

}  // namespace keyturn
