#pragma once

#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// Reads the outermost keys of a config.yml that decide about the token. It reads YAML line by
/// line, as people usually write it. Anything else (a flow mapping, a tab, a value that is not
/// plain text) makes the result `unclear`. Does not keep the value of `token`. Pure.
[[nodiscard]] ConfigurationFile read_configuration(std::string_view text);

/// Where cloudflared looks for its configuration by default, in this order; the first existing file
/// counts. `home` is the home directory of the unit's user, or empty. Source: cloudflared,
/// config/configuration.go, FindDefaultConfigPath.
[[nodiscard]] std::vector<std::string> default_configuration_paths(const std::string& home);

/// The files in which this unit's cloudflared looks for its configuration. Reads /etc/passwd.
[[nodiscard]] std::vector<std::string> configuration_paths(const UnitSettings& settings);

/// Looks for a unit's configuration and at its program, on the disk below `root`. It only reads,
/// and only regular files, at most `configuration_size_max` bytes of each. What it may not read but
/// root has attested is not in `unseen`.
[[nodiscard]] ConnectorFiles look_at_files(const UnitSettings& settings,
                                           const std::string& root = {});

/// In bytes; far above any real configuration.
inline constexpr std::size_t configuration_size_max = 1024 * 1024;

}  // namespace keyturn
