#pragma once

#include "cloudflared/cloudflared_command.hpp"
#include "model/unit_state.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// What is known of one environment variable of a unit's process.
enum class VariableState {
    absent,
    set,      ///< By Environment=, or by a program in front of cloudflared.
    unknown,  ///< An EnvironmentFile= or systemd's own environment may set it.
};

/// The order is systemd's: UnsetEnvironment= takes away whatever set a variable before, but not
/// what a program in front of cloudflared assigns later.
[[nodiscard]] VariableState variable_state(const UnitSettings& settings,
                                           const CloudflaredCommand& command,
                                           std::string_view name);

/// The value that Environment= or a program in front gives it; nothing if that is cut off, absent
/// or may be changed by a file.
[[nodiscard]] std::optional<std::string> variable_value(const UnitSettings& settings,
                                                        const CloudflaredCommand& command,
                                                        std::string_view name);

}  // namespace keyturn
