#pragma once

#include <string>
#include <string_view>

/// What keyturn, as it is installed, is called on a host.
namespace keyturn {

/// The user of keyturnd, and its group.
inline constexpr const char* keyturnd_user = "keyturn";

inline constexpr std::string_view surge_unit_prefix = "keyturn-surge@";

/// The unit of a tunnel's extra connector, which serves while the tunnel's own units restart.
[[nodiscard]] inline std::string surge_unit_of(const std::string& tunnel) {
    return std::string(surge_unit_prefix) + tunnel + ".service";
}

[[nodiscard]] inline bool is_surge_unit(std::string_view unit) {
    return unit.starts_with(surge_unit_prefix);
}

/// Where keyturnd keeps the tokens of all tunnels.
inline constexpr std::string_view tokens_directory = "/var/lib/keyturn/tokens";

/// The file with the token of a tunnel, which keyturnd replaces and the units load.
[[nodiscard]] inline std::string token_file_of(const std::string& tunnel) {
    return std::string(tokens_directory) + '/' + tunnel;
}

}  // namespace keyturn
