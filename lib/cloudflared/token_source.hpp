#pragma once

#include "model/unit_state.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// Where a unit's cloudflared takes its token from. A token in argv, TUNNEL_TOKEN or config.yml
/// silently overrides --token-file (cloudflared, runCommand in
/// cmd/cloudflared/tunnel/subcommands.go).
enum class TokenOrigin {
    credential,       ///< LoadCredential= and --token-file %d/NAME: what `store: keyturn` writes.
    file,             ///< --token-file PATH or --credentials-file PATH, read by cloudflared itself.
    program,          ///< A program in front of cloudflared, which may pass it anything.
    argument,         ///< --token TOKEN: cloudflared ignores our file, and `ps` shows the token.
    environment,      ///< TUNNEL_TOKEN, or an EnvironmentFile= that may set it.
    configuration,    ///< `token:` in config.yml, or no token option at all.
    not_cloudflared,  ///< The command is not `cloudflared ... tunnel run`.
};

struct TokenSource {
    TokenOrigin origin = TokenOrigin::not_cloudflared;
    std::string path;               ///< The file that is read at each start; empty if unknown.
    bool credentials_json = false;  ///< That file contains credentials JSON, not a token.

    bool operator==(const TokenSource&) const = default;
};

/// The keys of cloudflared's config.yml that affect the token.
struct ConfigurationFile {
    std::string path;    ///< Empty if there is no file.
    bool token = false;  ///< `token:` is set, which overrides every file.
    bool credentials_contents = false;
    std::string token_file;
    std::string credentials_file;
    std::string tunnel;
    std::string metrics;
    bool unclear = false;  ///< It is written in a way that keyturnd cannot interpret.

    bool operator==(const ConfigurationFile&) const = default;
};

/// What keyturnd found on the disk about a unit's connector.
struct ConnectorFiles {
    ConfigurationFile configuration;
    std::vector<std::string> unseen;      ///< Paths of a configuration that keyturnd cannot read.
    std::string script;                   ///< The program that is started, if it is a shell script.
    std::vector<std::string> token_only;  ///< Files of EnvironmentFile= that set only the token.

    bool operator==(const ConnectorFiles&) const = default;
};

/// Finds the token's source in a unit's settings. Pure.
[[nodiscard]] TokenSource token_source_of(const UnitSettings& settings,
                                          const ConnectorFiles& files = {});

/// True if the unit's command contains `tunnel ... run` anywhere, even in a shell's or container's
/// arguments. Does not look into scripts. Pure.
[[nodiscard]] bool names_a_connector(const UnitSettings& settings);

/// Why a unit would not take its new token from `token_file`, and what to do, as a clause about the
/// unit ("its command line contains ..."); nothing if it would. Pure.
[[nodiscard]] std::optional<std::string> token_source_problem(const UnitSettings& settings,
                                                              const std::string& token_file,
                                                              const ConnectorFiles& files = {});

/// Why `keyturnctl adopt` cannot move the unit onto a token file of keyturn, and what to do
/// instead, as a clause about the unit; nothing if it can. Pure.
[[nodiscard]] std::optional<std::string> adoption_obstacle(const UnitSettings& settings,
                                                           const ConnectorFiles& files = {});

/// True for the path or name of a drop-in that keyturnctl wrote.
[[nodiscard]] bool is_own_drop_in(std::string_view path);

/// Names the drop-ins after keyturn's, which may override it: "B sorts after A". Returns "" if
/// there are none.
[[nodiscard]] std::string overriding_drop_ins(const std::vector<std::string>& files);

/// What else may give the unit another token but cannot be checked from here, and what to do;
/// clauses about the unit. Pure.
[[nodiscard]] std::vector<std::string> token_source_findings(const UnitSettings& settings,
                                                             const ConnectorFiles& files);

/// The tunnel that the unit itself names (`run UUID`, `tunnel:` in its configuration), in lower
/// case; empty if it gives none, or a name instead of a UUID. Pure.
[[nodiscard]] std::string tunnel_named_by(const UnitSettings& settings,
                                          const ConnectorFiles& files);

/// The address that `--metrics` fixes in the unit ("127.0.0.1:20300"); nothing if it fixes none.
/// For a server that listens on all addresses, this is the loopback address.
[[nodiscard]] std::optional<std::string> metrics_address_of(const UnitSettings& settings);

}  // namespace keyturn
