#include "cloudflared/token_source.hpp"

#include "base/ascii.hpp"
#include "cloudflared/cloudflared_command.hpp"
#include "cloudflared/container.hpp"
#include "cloudflared/unit_environment.hpp"
#include "cloudflared/unit_words.hpp"
#include "model/installed_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

/// The command that counts. A service has only one, unless it is of Type=oneshot.
struct Command {
    const std::vector<std::string>* arguments;
    CloudflaredCommand read;
};

std::optional<Command> find_command(const UnitSettings& settings) {
    for (const std::vector<std::string>& arguments : settings.exec_start) {
        if (auto read = read_cloudflared_command(arguments))
            return Command{&arguments, std::move(*read)};
    }
    return std::nullopt;
}

/// systemd shows %d as the directory it stands for, and the other forms as they are written.
std::optional<std::string> credential_name(const UnitSettings& settings, std::string_view path) {
    const std::string directory = fmt::format("/run/credentials/{}", settings.name);
    const std::array<std::string_view, 4> prefixes{"%d", "${CREDENTIALS_DIRECTORY}",
                                                   "$CREDENTIALS_DIRECTORY", directory};
    for (const std::string_view prefix : prefixes) {
        if (!path.starts_with(prefix) || !path.substr(prefix.size()).starts_with('/')) continue;
        const std::string_view name = path.substr(prefix.size() + 1);
        if (!name.empty() && name.find('/') == std::string_view::npos) return std::string(name);
    }
    return std::nullopt;
}

/// Only systemd knows the value of a path that contains a variable, at each start.
TokenSource source_of_path(const UnitSettings& settings, const CloudflaredCommand& command,
                           std::string path, bool credentials_json) {
    if (command.contained) path = command.path_outside(path);
    if (const auto name = credential_name(settings, path)) {
        for (const auto& [credential, file] : settings.load_credentials) {
            if (credential == *name) {
                return TokenSource{TokenOrigin::credential, file, credentials_json};
            }
        }
        for (const EncryptedCredential& sealed : settings.encrypted_credentials) {
            if (sealed.name == *name)
                return TokenSource{TokenOrigin::credential, sealed.path, credentials_json};
        }
        return TokenSource{TokenOrigin::credential, "", credentials_json};
    }
    if (path.find('$') != std::string::npos) path.clear();
    return TokenSource{TokenOrigin::file, std::move(path), credentials_json};
}

std::optional<TokenSource> source_of_file_option(const UnitSettings& settings,
                                                 const CloudflaredCommand& command,
                                                 std::string_view option, std::string_view variable,
                                                 bool credentials_json) {
    auto path = command.value_of(option);
    if (!path) {
        const VariableState state = variable_state(settings, command, variable);
        if (state == VariableState::unknown) return TokenSource{TokenOrigin::environment, ""};
        if (state == VariableState::set) path = variable_value(settings, command, variable);
    }
    if (!path || path->empty()) return std::nullopt;
    return source_of_path(settings, command, std::move(*path), credentials_json);
}

/// The order is cloudflared's: the token, the token's file, the credentials, their file, its
/// configuration. An option on the command line overrides its variable, which overrides the key in
/// config.yml.
TokenSource source_of(const UnitSettings& settings, const CloudflaredCommand& command,
                      const ConfigurationFile& file) {
    if (!command.front.empty()) return TokenSource{TokenOrigin::program, ""};
    if (command.value_of("token")) return TokenSource{TokenOrigin::argument, ""};
    if (variable_state(settings, command, "TUNNEL_TOKEN") != VariableState::absent)
        return TokenSource{TokenOrigin::environment, ""};
    if (file.token) return TokenSource{TokenOrigin::configuration, file.path};
    if (auto source =
            source_of_file_option(settings, command, "token-file", "TUNNEL_TOKEN_FILE", false))
        return *source;
    if (!file.token_file.empty()) return source_of_path(settings, command, file.token_file, false);
    if (command.value_of("credentials-contents")) return TokenSource{TokenOrigin::argument, ""};
    if (variable_state(settings, command, "TUNNEL_CRED_CONTENTS") != VariableState::absent)
        return TokenSource{TokenOrigin::environment, ""};
    if (file.credentials_contents) return TokenSource{TokenOrigin::configuration, file.path};
    if (auto source =
            source_of_file_option(settings, command, "credentials-file", "TUNNEL_CRED_FILE", true))
        return *source;
    if (!file.credentials_file.empty())
        return source_of_path(settings, command, file.credentials_file, true);
    const std::string path =
        file.path.empty() ? command.value_of("config").value_or("") : file.path;
    return TokenSource{TokenOrigin::configuration, path};
}

bool is_control(char c) {
    return (c >= 0 && c < ' ') || c == '\x7f';
}

bool takes_from(const TokenSource& source, const std::string& token_file) {
    const bool from_file =
        source.origin == TokenOrigin::credential || source.origin == TokenOrigin::file;
    return from_file && !source.credentials_json && source.path == token_file;
}

/// What is wrong with the file that the unit reads.
std::string cause_in_file(const TokenSource& source, const std::string& token_file) {
    if (source.credentials_json)
        return "it reads credentials JSON (--credentials-file), but keyturn writes a token";
    if (source.path.empty() && source.origin == TokenOrigin::credential)
        return "its command line names a credential that no LoadCredential= loads";
    if (source.path.empty()) return "the path of its token file is unknown until it starts";
    return fmt::format("it reads its token from {}, not from {}", on_one_line(source.path),
                       token_file);
}

std::string cause_in_environment(const UnitSettings& settings, const CloudflaredCommand& command) {
    UnitSettings alone = settings;
    alone.manager_environment.clear();
    if (variable_state(alone, command, "TUNNEL_TOKEN") == VariableState::absent &&
        variable_state(alone, command, "TUNNEL_CRED_CONTENTS") == VariableState::absent) {
        return "systemd gives every unit a TUNNEL_TOKEN (systemctl set-environment, or "
               "DefaultEnvironment=), which overrides the file";
    }
    if (settings.environment_files.empty())
        return "its environment sets TUNNEL_TOKEN, which overrides the file";
    return fmt::format(
        "its environment sets TUNNEL_TOKEN, or {} may set it, which overrides the file",
        on_one_line(fmt::format("{}", fmt::join(settings.environment_files, ", "))));
}

std::string cause_without_command(const UnitSettings& settings) {
    for (const std::vector<std::string>& arguments : settings.exec_start) {
        if (const std::string shell = shell_program(arguments); !shell.empty())
            return fmt::format(
                "{} starts it, and keyturnd cannot know how a shell reads its command", shell);
        if (const std::string program = container_program(arguments); !program.empty())
            return fmt::format("{} starts a container whose token keyturnd cannot know", program);
    }
    return "its ExecStart= is not `cloudflared ... tunnel run`, so keyturnd cannot know where it "
           "takes its token from";
}

/// For a unit whose command keyturnctl does not rewrite.
std::string remedy_without_command(const UnitSettings& settings) {
    for (const std::vector<std::string>& arguments : settings.exec_start) {
        if (!container_program(arguments).empty()) return container_remedy(settings);
    }
    return fmt::format(
        "make the unit start cloudflared itself (ExecStart=/usr/bin/cloudflared tunnel run ...), "
        "then run as root: keyturnctl adopt {}",
        settings.name);
}

std::vector<std::string> directories_of(const std::vector<std::string>& paths) {
    std::vector<std::string> directories;
    for (const std::string& path : paths) {
        std::string directory = path.substr(0, path.rfind('/'));
        if (std::find(directories.begin(), directories.end(), directory) == directories.end())
            directories.push_back(std::move(directory));
    }
    return directories;
}

/// What a person has to do before `keyturnctl adopt` can help; nothing if it can.
std::optional<std::string> remedy_by_hand(const UnitSettings& settings,
                                          const ConnectorFiles& files) {
    const auto command = find_command(settings);
    if (!command || command->read.contained || !command->read.front.empty() ||
        !files.script.empty())
        return remedy_without_command(settings);
    const std::string path = settings.files.empty() ? "" : settings.files.front();
    if (path.starts_with("/nix/store/")) {
        return fmt::format(
            "the configuration of this host generates its unit file: put there the lines that "
            "`keyturnctl adopt --dry-run {}` shows",
            settings.name);
    }
    if (path.starts_with("/run/systemd/transient/"))
        return "systemd-run made this unit for one run only: write a unit file for it";
    return std::nullopt;
}

std::optional<std::string> cause_of(const UnitSettings& settings, const TokenSource& source,
                                    const std::string& token_file, const ConnectorFiles& files) {
    if (!files.script.empty())
        return fmt::format(
            "{} is a shell script, and keyturnd cannot know what it passes to cloudflared",
            on_one_line(files.script));
    const auto command = find_command(settings);
    switch (source.origin) {
        case TokenOrigin::credential:
        case TokenOrigin::file:
            if (const std::string mount = mount_of_every_tunnel(command->read); !mount.empty()) {
                return fmt::format(
                    "its container mounts {}, and with it the tokens of all tunnels of this host",
                    on_one_line(mount));
            }
            if (takes_from(source, token_file)) return std::nullopt;
            return cause_in_file(source, token_file);
        case TokenOrigin::program:
            return fmt::format(
                "{} starts cloudflared and may set TUNNEL_TOKEN, which overrides every file",
                on_one_line(command->read.front));
        case TokenOrigin::argument:
            return "its command line contains the token itself, which overrides every file and "
                   "shows it to all users";
        case TokenOrigin::environment: return cause_in_environment(settings, command->read);
        case TokenOrigin::configuration:
            return "it has no token option, so cloudflared's config.yml decides";
        case TokenOrigin::not_cloudflared: break;
    }
    return cause_without_command(settings);
}

/// The token file of keyturn that a container reads as it should; empty if it does not.
std::string keyturns_file(const UnitSettings& settings, const ConnectorFiles& files) {
    const TokenSource source = token_source_of(settings, files);
    const auto command = find_command(settings);
    const bool fed = command && command->read.contained &&
                     source.origin == TokenOrigin::credential && !source.credentials_json &&
                     source.path.starts_with(token_file_of("")) &&
                     mount_of_every_tunnel(command->read).empty();
    return fed ? source.path : std::string();
}

/// Nothing for an address without a fixed port.
std::optional<std::string> fixed_address(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || text.find('$') != std::string::npos) return std::nullopt;
    if (std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
    std::string host = text.substr(0, colon);
    const std::string port = text.substr(colon + 1);
    const bool is_number =
        !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number || port.find_first_not_of('0') == std::string::npos) return std::nullopt;
    if (host.empty() || host == "localhost" || host == "0.0.0.0") host = "127.0.0.1";
    if (host == "[::]") host = "[::1]";
    return host + ":" + port;
}

/// Only root can tell whether a file that keyturnd cannot read overrides the token file.
std::optional<std::string> problem_unseen(const UnitSettings& settings,
                                          const ConnectorFiles& files) {
    if (files.unseen.empty()) return std::nullopt;
    const auto& places = files.unseen;
    return on_one_line(fmt::format(
        "keyturnd cannot read {}: a line `token:` in a config.yml there would override the token "
        "file; to have root check that, run as root: keyturnctl doctor {}",
        fmt::join(places.size() > 1 ? directories_of(places) : places, ", "), settings.name));
}

}  // namespace

TokenSource token_source_of(const UnitSettings& settings, const ConnectorFiles& files) {
    const auto command = find_command(settings);
    if (!command) return TokenSource{};
    return source_of(settings, command->read, files.configuration);
}

bool names_a_connector(const UnitSettings& settings) {
    return std::any_of(settings.exec_start.begin(), settings.exec_start.end(), mentions_tunnel_run);
}

std::optional<std::string> token_source_problem(const UnitSettings& settings,
                                                const std::string& token_file,
                                                const ConnectorFiles& files) {
    const ConfigurationFile& file = files.configuration;
    const TokenSource source = token_source_of(settings, files);
    if (source.origin == TokenOrigin::configuration && file.token && files.script.empty()) {
        ConnectorFiles without = files;
        without.configuration.token = false;
        const auto rest = token_source_problem(settings, token_file, without);
        return fmt::format(
            "{0} sets `token:`, which overrides every token file; remove that line from {0}{1}",
            on_one_line(file.path), rest ? ", but more is needed before a restart: " + *rest : "");
    }
    const auto cause = cause_of(settings, source, token_file, files);
    if (!cause) return problem_unseen(settings, files);
    std::string problem = fmt::format("{}; ", *cause);
    if (file.token) problem += fmt::format("remove `token:` from {}; ", on_one_line(file.path));
    if (const auto obstacle = remedy_by_hand(settings, files)) return problem + *obstacle;
    if (const std::string behind = overriding_drop_ins(settings.files); !behind.empty())
        problem += behind + "; ";
    return problem + "run as root: keyturnctl adopt " + settings.name;
}

std::optional<std::string> adoption_obstacle(const UnitSettings& settings,
                                             const ConnectorFiles& files) {
    const auto remedy = remedy_by_hand(settings, files);
    if (!remedy) return std::nullopt;
    if (const std::string file = keyturns_file(settings, files); !file.empty()) {
        return fmt::format(
            "its container already takes its token from {}, so its unit stays as it is; the policy "
            "has to name it in `units:` and `metrics_address:`",
            file);
    }
    const auto cause = cause_of(settings, token_source_of(settings, files), "", files);
    return fmt::format("{}; {}", cause.value_or("its unit file is not a file to change"), *remedy);
}

bool is_own_drop_in(std::string_view path) {
    return base_name(path).ends_with("keyturn.conf");
}

std::string overriding_drop_ins(const std::vector<std::string>& files) {
    const auto ours = std::find_if(files.rbegin(), files.rend(), is_own_drop_in);
    if (ours == files.rend() || ours == files.rbegin()) return {};
    return on_one_line(fmt::format("{} sort{} after {}", fmt::join(ours.base(), files.end(), ", "),
                                   files.end() - ours.base() == 1 ? "s" : "", base_name(*ours)));
}

std::vector<std::string> token_source_findings(const UnitSettings& settings,
                                               const ConnectorFiles& files) {
    std::vector<std::string> findings;
    if (!find_command(settings)) return findings;
    if (const std::string behind = overriding_drop_ins(settings.files); !behind.empty()) {
        findings.push_back(fmt::format("{} and may override it; run as root: keyturnctl adopt {}",
                                       behind, settings.name));
    }
    if (files.configuration.unclear) {
        findings.push_back(
            fmt::format("keyturnd cannot interpret {}: make sure that it has no `token:`",
                        on_one_line(files.configuration.path)));
    }
    return findings;
}

std::string tunnel_named_by(const UnitSettings& settings, const ConnectorFiles& files) {
    const auto command = find_command(settings);
    if (!command) return {};
    std::string name = files.configuration.tunnel;
    if (command->read.tunnel < command->arguments->size())
        name = (*command->arguments)[command->read.tunnel];
    constexpr std::size_t uuid_size = 36;
    const bool is_id = name.size() == uuid_size &&
                       name.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
    return is_id ? lower(name) : std::string();
}

std::optional<std::string> metrics_address_of(const UnitSettings& settings) {
    const auto command = find_command(settings);
    if (!command) return std::nullopt;
    auto address = command->read.value_of("metrics");
    if (!address) address = variable_value(settings, command->read, "TUNNEL_METRICS");
    if (!address) return std::nullopt;
    return fixed_address(*address);
}

}  // namespace keyturn
