#pragma once

#include "model/unit_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// Where the cloudflared of a unit takes its token from. Source: cloudflared, runCommand: a token
/// in argv, TUNNEL_TOKEN or config.yml silently beats --token-file.
enum class TokenOrigin {
    credential,       ///< LoadCredential= and --token-file %d/NAME: what `store: keyturn` writes.
    file,             ///< --token-file PATH or --credentials-file PATH, read by cloudflared itself.
    program,          ///< A program in front of cloudflared may hand it anything.
    argument,         ///< --token TOKEN: our file would be ignored, and `ps` shows the token.
    environment,      ///< TUNNEL_TOKEN, or an EnvironmentFile that may set it.
    configuration,    ///< `token:` in config.yml, or no token option at all.
    not_cloudflared,  ///< The command is not `cloudflared ... tunnel run`.
};

struct TokenSource {
    TokenOrigin origin = TokenOrigin::not_cloudflared;
    std::string path;  ///< The file that is read at each start; empty where none is known.
    bool credentials_json = false;  ///< That file is credentials JSON, not a token.

    bool operator==(const TokenSource&) const = default;
};

/// What concerns the token of a config.yml of cloudflared.
struct ConfigurationFile {
    std::string path;    ///< Empty: there is none.
    bool token = false;  ///< `token:` is set, which beats every file.
    bool credentials_contents = false;
    std::string token_file;
    std::string credentials_file;
    std::string tunnel;
    std::string metrics;
    bool unclear = false;  ///< It is not written as we can read it.

    bool operator==(const ConfigurationFile&) const = default;
};

/// What was found on the disk about a unit's connector.
struct ConnectorFiles {
    ConfigurationFile configuration;
    std::vector<std::string> unseen;      ///< Paths of a configuration that we may not look at.
    std::string script;                   ///< A script for a shell, started as the program.
    std::vector<std::string> token_only;  ///< Files of EnvironmentFile= that only set the token.

    bool operator==(const ConnectorFiles&) const = default;
};

/// Reads a unit's settings. Pure.
[[nodiscard]] TokenSource token_source_of(const UnitSettings& settings,
                                          const ConnectorFiles& files = {});

/// Whether the unit's command says `tunnel ... run` anywhere, also to a shell or a container. What
/// only a script knows is not seen. Pure.
[[nodiscard]] bool names_a_connector(const UnitSettings& settings);

/// Why a unit would not take its new token from `token_file`, and what to do, as a clause about the
/// unit ("its command line gives ..."); nothing if it would. Pure.
[[nodiscard]] std::optional<std::string> token_source_problem(const UnitSettings& settings,
                                                              const std::string& token_file,
                                                              const ConnectorFiles& files = {});

/// What else may give it another token and cannot be seen from here, with what to do; clauses about
/// the unit. Pure.
[[nodiscard]] std::vector<std::string> token_source_findings(const UnitSettings& settings,
                                                             const ConnectorFiles& files);

/// The tunnel that the unit names itself (`run UUID`, `tunnel:` in its configuration), in lower
/// case; empty where it names none or a name. Pure.
[[nodiscard]] std::string tunnel_named_by(const UnitSettings& settings,
                                          const ConnectorFiles& files);

/// The address that `--metrics` fixes in the unit ("127.0.0.1:20300"), if it does. A server that
/// listens on all addresses is named by its loopback address.
[[nodiscard]] std::optional<std::string> metrics_address_of(const UnitSettings& settings);

}  // namespace keyturn
