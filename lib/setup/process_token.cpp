#include "setup/process_token.hpp"

#include "base/secret.hpp"
#include "cloudflared/cloudflared_command.hpp"
#include "cloudflared/configuration_file.hpp"
#include "setup/host_file.hpp"
#include "setup/token_text.hpp"
#include "units/redaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

namespace keyturn {

namespace {

constexpr std::string_view cgroup_mount = "/sys/fs/cgroup";

/// Texts that end with a zero byte, in memory that is wiped: /proc/PID/cmdline or environ.
class ZeroTerminated {
  public:
    explicit ZeroTerminated(const std::string& path) {
        auto file = read_host_file(path);
        if (file && *file) text_ = std::move((*file)->text);
        std::string_view rest = text_.reveal();
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\0'), rest.size());
            items_.push_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }

    [[nodiscard]] const std::vector<std::string_view>& items() const { return items_; }

    /// The value of NAME=VALUE.
    [[nodiscard]] std::optional<std::string_view> value_of(std::string_view name) const {
        for (const std::string_view item : items_) {
            if (item.size() > name.size() && item.starts_with(name) && item[name.size()] == '=')
                return item.substr(name.size() + 1);
        }
        return std::nullopt;
    }

  private:
    Secret text_;
    std::vector<std::string_view> items_;
};

/// A connector process, as /proc shows it.
class ConnectorProcess {
  public:
    explicit ConnectorProcess(pid_t process)
        : proc_(fmt::format("/proc/{}", process)),
          arguments_(proc_ + "/cmdline"),
          environment_(proc_ + "/environ") {
        std::vector<std::string> words;
        ArgumentCut cut;
        for (const std::string_view argument : arguments_.items())
            words.push_back(cut.next(argument));
        command_ = read_cloudflared_command(words);
        if (!command_ && words.size() > 1 && words[1].starts_with('/')) {
            // A script: the kernel puts the program of its first line in front.
            words.erase(words.begin());
            in_front_ = 1;
            command_ = read_cloudflared_command(words);
        }
        // A program in front starts the connector as a child, which is looked at by itself.
        if (command_ && command_->program != 0) command_.reset();
    }

    [[nodiscard]] bool is_connector() const { return command_.has_value(); }

    [[nodiscard]] ProcessToken token() {
        if (const auto given = secret_option("token"))
            return of_text(TokenOrigin::argument, *given);
        if (const auto given = environment_.value_of("TUNNEL_TOKEN"); given && !given->empty())
            return of_text(TokenOrigin::environment, *given);
        read_configuration_file();
        if (configuration_.token) {
            ProcessToken found;
            found.origin = TokenOrigin::configuration;
            found.path = configuration_.path;
            found.token = first_token(configuration_text_.reveal());
            return found;
        }
        if (const auto path = path_of("token-file", "TUNNEL_TOKEN_FILE", configuration_.token_file))
            return of_file(*path);
        if (const auto given = secret_option("credentials-contents"))
            return of_text(TokenOrigin::argument, *given);
        if (const auto given = environment_.value_of("TUNNEL_CRED_CONTENTS");
            given && !given->empty())
            return of_text(TokenOrigin::environment, *given);
        if (configuration_.credentials_contents) {
            ProcessToken found;
            found.origin = TokenOrigin::configuration;
            found.path = configuration_.path;
            return found;
        }
        if (const auto path =
                path_of("credentials-file", "TUNNEL_CRED_FILE", configuration_.credentials_file))
            return of_file(*path);
        ProcessToken found;
        found.origin = TokenOrigin::configuration;
        found.path = configuration_.path;
        return found;
    }

  private:
    /// The value as it really is: `command_` was read from words without secrets.
    [[nodiscard]] std::optional<std::string_view> secret_option(std::string_view name) const {
        const auto found = std::find_if(command_->options.rbegin(), command_->options.rend(),
                                        [&](const auto& option) { return option.name == name; });
        if (found == command_->options.rend()) return std::nullopt;
        const std::string_view last =
            arguments_.items()[in_front_ + found->first + found->count - 1];
        return found->count == 2 ? last : last.substr(std::min(last.find('=') + 1, last.size()));
    }

    [[nodiscard]] std::optional<std::string> path_of(std::string_view option,
                                                     std::string_view variable,
                                                     const std::string& configured) const {
        if (auto path = command_->value_of(option)) return path;
        if (const auto path = environment_.value_of(variable); path && !path->empty())
            return std::string(*path);
        if (!configured.empty()) return configured;
        return std::nullopt;
    }

    /// Where this process finds a path: it may have another root directory than we.
    [[nodiscard]] std::string seen_by_it(const std::string& path) const {
        return proc_ + (path.starts_with('/') ? "/root" : "/cwd/") + path;
    }

    [[nodiscard]] std::optional<TunnelToken> first_token(std::string_view text) const {
        auto found = find_token(text, configuration_.tunnel);
        if (!found) return std::nullopt;
        return std::move(found->token);
    }

    [[nodiscard]] ProcessToken of_text(TokenOrigin origin, std::string_view text) const {
        ProcessToken found;
        found.origin = origin;
        found.token = first_token(text);
        return found;
    }

    [[nodiscard]] ProcessToken of_file(const std::string& path) const {
        ProcessToken found;
        found.origin =
            path.starts_with("/run/credentials/") ? TokenOrigin::credential : TokenOrigin::file;
        found.path = path;
        const auto file = read_host_file(seen_by_it(path));
        if (file && *file) found.token = first_token((*file)->text.reveal());
        return found;
    }

    void read_configuration_file() {
        const auto named = command_->value_of("config");
        const auto home = environment_.value_of("HOME");
        const auto paths = named ? std::vector<std::string>{*named}
                                 : default_configuration_paths(std::string(home.value_or("")));
        for (const std::string& path : paths) {
            auto file = read_host_file(seen_by_it(path));
            if (!file || !*file) continue;
            configuration_ = read_configuration((*file)->text.reveal());
            configuration_.path = path;
            configuration_text_ = std::move((*file)->text);
            return;
        }
    }

    std::string proc_;
    ZeroTerminated arguments_;
    ZeroTerminated environment_;
    std::size_t in_front_ = 0;  ///< Arguments before the command.
    std::optional<CloudflaredCommand> command_;
    ConfigurationFile configuration_;
    Secret configuration_text_;
};

std::optional<pid_t> number_of(std::string_view text) {
    pid_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::optional<ProcessToken> token_of_process(pid_t process) {
    ConnectorProcess connector(process);
    if (!connector.is_connector()) return std::nullopt;
    return connector.token();
}

std::string control_group_of(pid_t process) {
    const auto file = read_host_file(fmt::format("/proc/{}/cgroup", process));
    if (!file || !*file) return {};
    constexpr std::string_view unified = "0::";
    std::string_view text = (*file)->text.reveal();
    const std::size_t begin = text.find(unified);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin + unified.size());
    return std::string(text.substr(0, text.find('\n')));
}

std::vector<pid_t> processes_beside(pid_t process) {
    std::vector<pid_t> processes;
    const auto file =
        read_host_file(fmt::format("{}{}/cgroup.procs", cgroup_mount, control_group_of(process)));
    if (!file || !*file) return processes;
    std::string_view rest = (*file)->text.reveal();
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        if (const auto number = number_of(rest.substr(0, end))) processes.push_back(*number);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return processes;
}

std::vector<std::string> connectors_elsewhere(const std::vector<std::string>& control_groups) {
    std::vector<std::string> elsewhere;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const auto process = number_of(entry.path().filename().native());
        if (!process || !ConnectorProcess(*process).is_connector()) continue;
        std::string group = control_group_of(*process);
        const bool known = std::ranges::any_of(control_groups, [&](const std::string& unit) {
            return group == unit || (unit.ends_with('/') && group.starts_with(unit));
        });
        if (group.empty() || known) continue;
        if (std::ranges::find(elsewhere, group) == elsewhere.end())
            elsewhere.push_back(std::move(group));
    }
    return elsewhere;
}

}  // namespace keyturn
