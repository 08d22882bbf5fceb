#include "units/unit_error.hpp"

#include "bus/bus.hpp"
#include "units/polkit.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace keyturn {

namespace {

/// systemd asks polkit over the bus, which starts polkit.service. If that fails because the unit is
/// masked, missing or does not start, its error becomes the answer to our call.
bool about_polkit(std::string_view name, std::string_view message, const std::string& unit) {
    const auto names = [&](std::string_view text) {
        return message.find(text) != std::string_view::npos;
    };
    if (name.starts_with("org.freedesktop.PolicyKit1.")) return true;
    return !names(unit) && (names("polkit.service") || names("org.freedesktop.PolicyKit1"));
}

Error refused_by_polkit(std::string_view action, const std::string& unit, std::string_view user) {
    const bool stop = action == "stop";
    return Error{Fault::denied, fmt::format("polkit does not allow user {} to {} {}; {}", user,
                                            action, unit, polkit_remedy(user, {{unit, stop}}))};
}

}  // namespace

Error polkit_silent(const std::string& unit, std::string_view why) {
    return Error{Fault::busy,
                 fmt::format("systemd cannot ask polkit about {} ({}): see `systemctl status "
                             "polkit.service`; unmask and start it, or install polkitd",
                             unit, why)};
}

bool is_refusal(const sd_bus_error& error) {
    const std::string_view name = error.name != nullptr ? error.name : "";
    return name == "org.freedesktop.DBus.Error.AccessDenied" ||
           name == "org.freedesktop.DBus.Error.AuthFailed" ||
           name == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
}

Error unit_error(const sd_bus_error& error, std::string_view action, const std::string& unit,
                 std::string_view user) {
    const std::string_view name = error.name != nullptr ? error.name : "";
    const std::string_view message = error.message != nullptr ? error.message : "";
    if (about_polkit(name, message, unit)) return polkit_silent(unit, message);
    if (name == "org.freedesktop.systemd1.UnitMasked") {
        return Error{Fault::missing,
                     fmt::format("{} is masked: run `systemctl unmask {}`, or take it out of the "
                                 "policy",
                                 unit, unit)};
    }
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
        return Error{Fault::conflict, fmt::format("another job for {} is under way, and keyturnd "
                                                  "does not override it: see `systemctl list-jobs`",
                                                  unit)};
    }
    if (name == "org.freedesktop.systemd1.OnlyByDependency") {
        return Error{Fault::denied,
                     fmt::format("{} refuses to be started or stopped by hand: remove "
                                 "RefuseManualStart= and RefuseManualStop= from it",
                                 unit)};
    }
    if (is_refusal(error)) return refused_by_polkit(action, unit, user);
    return with_context(fmt::format("cannot {} {}", action, unit), bus_error(error));
}

std::string user_of_process() {
    // systemd sets USER for units with User=.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the daemon has one thread.
    const char* user = ::secure_getenv("USER");
    if (user != nullptr && *user != '\0') return user;
    return fmt::format("uid {}", ::geteuid());
}

}  // namespace keyturn
