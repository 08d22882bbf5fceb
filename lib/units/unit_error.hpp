#pragma once

#include "base/error.hpp"

#include <systemd/sd-bus.h>

#include <string>
#include <string_view>

namespace keyturn {

/// What it means that systemd refused to do `action` ("restart", "inspect") with `unit`, and what
/// an operator can do about it. `user` is the user that systemd asked polkit about.
[[nodiscard]] Error unit_error(const sd_bus_error& error, std::string_view action,
                               const std::string& unit, std::string_view user);

/// True for a refusal by polkit. systemd gives the same answer on a host without polkit.
[[nodiscard]] bool is_refusal(const sd_bus_error& error);

/// The error for a polkit that does not answer systemd's question; nothing was done. It is `busy`,
/// because it passes when polkit is back.
[[nodiscard]] Error polkit_silent(const std::string& unit, std::string_view why);

/// The name of the user that this process runs as, or "uid N". Asks no name service.
[[nodiscard]] std::string user_of_process();

}  // namespace keyturn
