#pragma once

#include "units/unit_state.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// Where the cloudflared of a unit takes its token from. Source: cloudflared, runCommand: a token in
/// argv, TUNNEL_TOKEN or config.yml silently beats --token-file.
enum class TokenOrigin {
    credential,   ///< LoadCredential= and --token-file %d/NAME: what `store: keyturn` writes.
    file,         ///< --token-file PATH, read by cloudflared itself.
    argument,     ///< --token TOKEN: our file would be ignored, and `ps` shows the token.
    environment,  ///< TUNNEL_TOKEN, or an EnvironmentFile that may set it.
    configuration,  ///< --config, or no token option at all: config.yml decides.
    not_cloudflared,  ///< The command is not `cloudflared ... tunnel run`.
};

struct TokenSource {
    TokenOrigin origin = TokenOrigin::not_cloudflared;
    std::string path;  ///< The file that is read at each start; empty where there is none.
};

/// Reads a unit's settings. Pure.
[[nodiscard]] TokenSource token_source_of(const UnitSettings& settings);

/// Why a unit would not take its new token from `token_file`, and what to do; nothing if it would.
[[nodiscard]] std::optional<std::string> token_source_problem(const UnitSettings& settings,
                                                              const std::string& token_file);

/// The address that `--metrics` fixes in the unit ("127.0.0.1:20300"), if it does.
[[nodiscard]] std::optional<std::string> metrics_address_of(const UnitSettings& settings);

}  // namespace keyturn
