#pragma once

#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What concerns us of a config.yml: the keys of the outermost level that decide about the token.
/// Reads YAML as people write it there, line by line; `unclear` for anything else (a flow mapping,
/// a tab, a value that is no plain text). The value of `token` is not kept. Pure.
[[nodiscard]] ConfigurationFile read_configuration(std::string_view text);

/// Where cloudflared looks for its configuration if it is not told, in this order; the first that
/// is there counts. `home` is the directory of the unit's user, empty where it has none. Source:
/// cloudflared, config/configuration.go, FindDefaultConfigPath.
[[nodiscard]] std::vector<std::string> default_configuration_paths(const std::string& home);

/// Looks for the configuration of a unit and for what its program is, on the disk below `root`.
/// Reads only, nothing that is no regular file, and no more than `configuration_size_max` bytes.
[[nodiscard]] ConnectorFiles look_at_files(const UnitSettings& settings,
                                           const std::string& root = {});

inline constexpr std::size_t configuration_size_max = 1024 * 1024;

}  // namespace keyturn
