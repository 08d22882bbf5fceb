#pragma once

#include "cloudflared/cloudflared_command.hpp"
#include "model/unit_state.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// What keyturnd knows about one environment variable of a unit's process.
enum class VariableState {
    absent,
    set,      ///< Set by Environment=, or by a program in front of cloudflared.
    unknown,  ///< An EnvironmentFile= or systemd's own environment may set it.
};

/// Follows systemd's order (systemd.exec(5)): UnsetEnvironment= removes a variable whatever set it,
/// but not what a program in front of cloudflared sets later.
[[nodiscard]] VariableState variable_state(const UnitSettings& settings,
                                           const CloudflaredCommand& command,
                                           std::string_view name);

/// The value that Environment= or a program in front sets; nothing if the value is cut off, absent,
/// or may be changed by a file.
[[nodiscard]] std::optional<std::string> variable_value(const UnitSettings& settings,
                                                        const CloudflaredCommand& command,
                                                        std::string_view name);

}  // namespace keyturn
