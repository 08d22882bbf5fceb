#pragma once

#include "base/error.hpp"

#include <systemd/sd-bus.h>

#include <string>
#include <string_view>

namespace keyturn {

/// What systemd's refusal to do `action` ("restart", "look at") with `unit` means, and what an
/// operator can do about it. `user` is whom polkit was asked about.
[[nodiscard]] Error unit_error(const sd_bus_error& error, std::string_view action,
                               const std::string& unit, std::string_view user);

/// polkit's own no; also what systemd makes of a host that has no polkit.
[[nodiscard]] bool is_refusal(const sd_bus_error& error);

/// Nobody answers systemd's question whether we may; nothing was done. `busy`: it passes when
/// polkit is back.
[[nodiscard]] Error polkit_silent(const std::string& unit, std::string_view why);

/// The name of the user that this process runs as, or "uid N". Asks no name service.
[[nodiscard]] std::string user_of_process();

}  // namespace keyturn
