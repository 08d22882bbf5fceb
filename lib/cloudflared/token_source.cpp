#include "cloudflared/token_source.hpp"

#include "cloudflared/cloudflared_command.hpp"
#include "cloudflared/unit_environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

constexpr std::string_view unset_line = "UnsetEnvironment=TUNNEL_TOKEN TUNNEL_TOKEN_FILE";

/// The command that counts: a service has one, unless it is of Type=oneshot.
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

/// systemd shows %d as the directory that it stands for; the others as they are written.
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

/// A path with a variable in it is known to systemd only, at each start.
TokenSource source_of_path(const UnitSettings& settings, std::string path, bool credentials_json) {
    if (const auto name = credential_name(settings, path)) {
        for (const auto& [credential, file] : settings.load_credentials) {
            if (credential == *name) {
                return TokenSource{TokenOrigin::credential, file, credentials_json};
            }
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
    return source_of_path(settings, std::move(*path), credentials_json);
}

/// cloudflared's order: the token, the token's file, the credentials, their file, its
/// configuration. An option on the command line beats its variable.
TokenSource source_of(const UnitSettings& settings, const CloudflaredCommand& command) {
    if (command.value_of("token")) return TokenSource{TokenOrigin::argument, ""};
    if (variable_state(settings, command, "TUNNEL_TOKEN") != VariableState::absent)
        return TokenSource{TokenOrigin::environment, ""};
    if (auto source =
            source_of_file_option(settings, command, "token-file", "TUNNEL_TOKEN_FILE", false))
        return *source;
    if (command.value_of("credentials-contents")) return TokenSource{TokenOrigin::argument, ""};
    if (variable_state(settings, command, "TUNNEL_CRED_CONTENTS") != VariableState::absent)
        return TokenSource{TokenOrigin::environment, ""};
    if (auto source =
            source_of_file_option(settings, command, "credentials-file", "TUNNEL_CRED_FILE", true))
        return *source;
    return TokenSource{TokenOrigin::configuration, command.value_of("config").value_or("")};
}

bool is_token_option(const std::string& name) {
    return name == "token" || name == "token-file" || name == "credentials-file" ||
           name == "credentials-contents";
}

/// "env TUNNEL_TOKEN=... cloudflared": stays in force behind UnsetEnvironment=.
bool is_token_assignment(const std::string& argument) {
    return argument.starts_with("TUNNEL_TOKEN=") || argument.starts_with("TUNNEL_TOKEN_FILE=");
}

std::string without_specifiers(std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped.append(c == '%' ? 2 : 1, c);
    return escaped;
}

bool is_control(char c) {
    return (c >= 0 && c < ' ') || c == '\x7f';
}

/// On one line, with control characters written as systemd and C write them.
std::string on_one_line(std::string_view text) {
    std::string line;
    for (const char c : text)
        line += is_control(c) ? fmt::format("\\x{:02x}", c) : std::string(1, c);
    return line;
}

/// An argument as a unit file writes it. "$" stays: systemd expands variables when it starts the
/// command, and shows them unexpanded.
std::string as_unit_file_word(const std::string& argument) {
    std::string word;
    for (const char c : without_specifiers(argument)) {
        if (c == '"' || c == '\\') word += '\\';
        word += c;
    }
    word = on_one_line(word);
    const bool plain = !word.empty() && word.find_first_of(" \t'\";\\") == std::string::npos;
    return plain ? word : '"' + word + '"';
}

std::string command_line_with_credential(const Command& command) {
    std::vector<bool> dropped(command.arguments->size(), false);
    for (const CloudflaredCommand::Option& option : command.read.options) {
        if (!is_token_option(option.name)) continue;
        for (std::size_t offset = 0; offset < option.count; ++offset)
            dropped[option.first + offset] = true;
    }
    std::vector<std::string> words;
    for (std::size_t index = 0; index < command.arguments->size(); ++index) {
        const bool in_front = index < command.read.program;
        if (in_front && is_token_assignment((*command.arguments)[index])) dropped[index] = true;
        if (!dropped[index]) words.push_back(as_unit_file_word((*command.arguments)[index]));
        if (index + 1 == command.read.after_run) words.emplace_back("--token-file %d/token");
    }
    return fmt::format("ExecStart={}", fmt::join(words, " "));
}

std::string instruction(const UnitSettings& settings, const std::vector<std::string>& lines) {
    return fmt::format(
        "write into /etc/systemd/system/{}.d/keyturn.conf the lines '[Service]', '{}', and run "
        "`systemctl daemon-reload`",
        settings.name, fmt::join(lines, "', '"));
}

std::string full_instruction(const UnitSettings& settings, const std::string& token_file) {
    std::vector<std::string> lines = token_drop_in(settings, token_file);
    lines.erase(lines.begin());
    return instruction(settings, lines);
}

bool takes_from(const TokenSource& source, const std::string& token_file) {
    const bool from_file =
        source.origin == TokenOrigin::credential || source.origin == TokenOrigin::file;
    return from_file && !source.credentials_json && source.path == token_file;
}

/// If nothing but the environment is in the way, one line is enough.
std::string environment_instruction(const UnitSettings& settings, const std::string& token_file) {
    UnitSettings without = settings;
    without.unset_environment.insert(without.unset_environment.end(),
                                     {"TUNNEL_TOKEN", "TUNNEL_TOKEN_FILE"});
    if (!takes_from(token_source_of(without), token_file))
        return full_instruction(settings, token_file);
    return instruction(settings, {std::string(unset_line)});
}

std::string problem_with_file(const UnitSettings& settings, const TokenSource& source,
                              const std::string& token_file) {
    if (source.credentials_json) {
        return fmt::format(
            "it reads credentials JSON (--credentials-file), and keyturn writes a "
            "token; {}",
            full_instruction(settings, token_file));
    }
    if (source.path.empty() && source.origin == TokenOrigin::credential) {
        return fmt::format("its command line names a credential that no LoadCredential= loads; {}",
                           full_instruction(settings, token_file));
    }
    if (source.path.empty()) {
        return fmt::format("the path of its token file is only known when it starts; {}",
                           full_instruction(settings, token_file));
    }
    return fmt::format("it reads its token from {}, not from {}; {}", on_one_line(source.path),
                       token_file, full_instruction(settings, token_file));
}

/// An address without a port that is fixed is none.
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

}  // namespace

TokenSource token_source_of(const UnitSettings& settings) {
    const auto command = find_command(settings);
    if (!command) return TokenSource{};
    return source_of(settings, command->read);
}

bool names_a_connector(const UnitSettings& settings) {
    return std::any_of(settings.exec_start.begin(), settings.exec_start.end(), mentions_tunnel_run);
}

std::optional<std::string> token_source_problem(const UnitSettings& settings,
                                                const std::string& token_file) {
    const TokenSource source = token_source_of(settings);
    switch (source.origin) {
        case TokenOrigin::credential:
        case TokenOrigin::file:
            if (takes_from(source, token_file)) return std::nullopt;
            return problem_with_file(settings, source, token_file);
        case TokenOrigin::argument:
            return fmt::format(
                "its command line gives the token itself, which beats every file and shows it to "
                "all users; {}",
                full_instruction(settings, token_file));
        case TokenOrigin::environment:
            return fmt::format(
                "its environment sets TUNNEL_TOKEN, or an EnvironmentFile= may set it, which beats "
                "the file; {}",
                environment_instruction(settings, token_file));
        case TokenOrigin::configuration:
            return fmt::format("it has no token option, so cloudflared's config.yml decides; {}",
                               full_instruction(settings, token_file));
        case TokenOrigin::not_cloudflared: break;
    }
    return "its ExecStart= is not `cloudflared ... tunnel run`, so nothing is known about where it "
           "takes its token from; start cloudflared directly";
}

std::vector<std::string> token_drop_in(const UnitSettings& settings,
                                       const std::string& token_file) {
    const auto command = find_command(settings);
    if (!command) return {};
    return {"[Service]", fmt::format("LoadCredential=token:{}", without_specifiers(token_file)),
            std::string(unset_line), "ExecStart=", command_line_with_credential(*command)};
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
