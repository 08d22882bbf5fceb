#pragma once

#include "units/unit_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// Where the cloudflared of a unit takes its token from. Source: cloudflared, runCommand: a token
/// in argv, TUNNEL_TOKEN or config.yml silently beats --token-file. What config.yml says is not
/// seen here: whoever may read it has to look for `token:` in it.
enum class TokenOrigin {
    credential,       ///< LoadCredential= and --token-file %d/NAME: what `store: keyturn` writes.
    file,             ///< --token-file PATH or --credentials-file PATH, read by cloudflared itself.
    argument,         ///< --token TOKEN: our file would be ignored, and `ps` shows the token.
    environment,      ///< TUNNEL_TOKEN, or an EnvironmentFile that may set it.
    configuration,    ///< --config, or no token option at all: config.yml decides.
    not_cloudflared,  ///< The command is not `cloudflared ... tunnel run`.
};

struct TokenSource {
    TokenOrigin origin = TokenOrigin::not_cloudflared;
    std::string path;  ///< The file that is read at each start; empty where none is known.
    bool credentials_json = false;  ///< That file is credentials JSON, not a token.

    bool operator==(const TokenSource&) const = default;
};

/// Reads a unit's settings. Pure.
[[nodiscard]] TokenSource token_source_of(const UnitSettings& settings);

/// Whether the unit's command says `tunnel ... run` anywhere, also to a shell or a container. What
/// only a script knows is not seen. Pure.
[[nodiscard]] bool names_a_connector(const UnitSettings& settings);

/// Why a unit would not take its new token from `token_file`, and what to do, as a clause about the
/// unit ("its command line gives ..."); nothing if it would.
[[nodiscard]] std::optional<std::string> token_source_problem(const UnitSettings& settings,
                                                              const std::string& token_file);

/// The lines of a drop-in that makes the unit take its token from `token_file` by LoadCredential=;
/// empty if its command is not cloudflared's.
[[nodiscard]] std::vector<std::string> token_drop_in(const UnitSettings& settings,
                                                     const std::string& token_file);

/// The address that `--metrics` fixes in the unit ("127.0.0.1:20300"), if it does. A server that
/// listens on all addresses is named by its loopback address.
[[nodiscard]] std::optional<std::string> metrics_address_of(const UnitSettings& settings);

}  // namespace keyturn
