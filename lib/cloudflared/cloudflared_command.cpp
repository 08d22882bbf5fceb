#include "cloudflared/cloudflared_command.hpp"

#include "cloudflared/unit_words.hpp"

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

/// The options without a value of `cloudflared`, `tunnel` and `run`. Every other option takes the
/// next argument unless it contains "=".
constexpr std::array<std::string_view, 27> switches{"bastion",
                                                    "hello-world",
                                                    "help",
                                                    "h",
                                                    "http2-origin",
                                                    "is-autoupdated",
                                                    "management-diagnostics",
                                                    "no-autoupdate",
                                                    "no-chunked-encoding",
                                                    "no-prechecks",
                                                    "no-tls-verify",
                                                    "overwrite-dns",
                                                    "post-quantum",
                                                    "pq",
                                                    "proxy-dns",
                                                    "proxy-no-happy-eyeballs",
                                                    "quic-disable-pmtu-discovery",
                                                    "socks5",
                                                    "ssh-server",
                                                    "stdin-control",
                                                    "ui",
                                                    "use-reconnect-token",
                                                    "version",
                                                    "v",
                                                    "V",
                                                    "f",
                                                    "force"};

/// Programs that start the program named in their arguments and pass on their environment.
constexpr std::array<std::string_view, 21> handing_on{
    "env",    "ip",    "nice",    "ionice",    "chrt",      "taskset", "setpriv",
    "stdbuf", "nohup", "setsid",  "numactl",   "unshare",   "prlimit", "timeout",
    "tini",   "choom", "nsenter", "catatonit", "dumb-init", "time",    "systemd-inhibit"};
constexpr std::array<std::string_view, 3> containers{"docker", "podman", "nerdctl"};
constexpr std::array<std::string_view, 7> shells{"sh",  "bash", "dash",   "zsh",
                                                 "ksh", "ash",  "busybox"};

template <class Names>
std::string program_among(const Names& names, const std::vector<std::string>& arguments) {
    if (arguments.empty()) return {};
    const std::string_view name = base_name(arguments.front());
    return std::find(names.begin(), names.end(), name) == names.end() ? "" : std::string(name);
}

bool is_switch(std::string_view name) {
    return std::find(switches.begin(), switches.end(), name) != switches.end();
}

/// Reads the options and words of a command line from left to right.
class Reader {
  public:
    Reader(const std::vector<std::string>& arguments, std::size_t next)
        : arguments_(arguments), next_(next) {}

    /// Reads up to and including the next word, which it returns; nothing at the end.
    std::optional<std::string> read_options(std::vector<CloudflaredCommand::Option>& options) {
        while (next_ < arguments_.size()) {
            const std::string& argument = arguments_[next_];
            if (argument == "--") return std::nullopt;
            if (argument.size() < 2 || argument.front() != '-') {
                ++next_;
                return argument;
            }
            options.push_back(read_option());
        }
        return std::nullopt;
    }

    [[nodiscard]] std::size_t next() const { return next_; }

  private:
    CloudflaredCommand::Option read_option() {
        CloudflaredCommand::Option option;
        option.first = next_;
        std::string_view text = arguments_[next_++];
        text.remove_prefix(text.starts_with("--") ? 2 : 1);
        const std::size_t equals = text.find('=');
        option.name = text.substr(0, equals);
        if (option.name == "cred-file") option.name = "credentials-file";
        if (equals != std::string_view::npos) {
            option.value = text.substr(equals + 1);
        } else if (!is_switch(option.name) && next_ < arguments_.size()) {
            option.value = arguments_[next_++];
            option.count = 2;
        }
        return option;
    }

    const std::vector<std::string>& arguments_;
    std::size_t next_;
};

/// The command that begins at `program`; nothing if none begins there.
std::optional<CloudflaredCommand> read_from(const std::vector<std::string>& arguments,
                                            std::size_t program) {
    const std::string& name = arguments[program];
    if (program > 0 && (name.starts_with('-') || name.find_first_of(" \t\n=") != std::string::npos))
        return std::nullopt;
    CloudflaredCommand command;
    command.program = program;
    Reader reader(arguments, program + 1);
    if (reader.read_options(command.options) != "tunnel") return std::nullopt;
    if (reader.read_options(command.options) != "run") return std::nullopt;
    command.after_run = reader.next();
    const bool named = reader.read_options(command.options).has_value();
    command.tunnel = named ? reader.next() - 1 : arguments.size();
    return command;
}

/// "SOURCE:TARGET[:OPTIONS]".
void read_volume(std::string_view text, CloudflaredCommand& command) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view rest = text.substr(colon + 1);
    command.mounts.emplace_back(rest.substr(0, rest.find(':')), text.substr(0, colon));
}

/// "type=bind,source=SOURCE,target=TARGET,...".
void read_mount(std::string_view text, CloudflaredCommand& command) {
    std::string_view source;
    std::string_view target;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(part.size() + 1, text.size()));
        const std::size_t equals = std::min(part.find('='), part.size());
        const std::string_view key = part.substr(0, equals);
        const std::string_view value = part.substr(std::min(equals + 1, part.size()));
        if (key == "source" || key == "src") source = value;
        if (key == "target" || key == "dst" || key == "destination") target = value;
    }
    if (!source.empty() && !target.empty()) command.mounts.emplace_back(target, source);
}

/// Reads the container's options before its image that decide what cloudflared finds in it.
void read_container(const std::vector<std::string>& arguments, CloudflaredCommand& command) {
    command.contained = true;
    for (std::size_t index = 1; index < command.program; ++index) {
        std::string_view option = arguments[index];
        std::string_view value;
        if (const std::size_t equals = option.find('=');
            option.starts_with("--") && equals != std::string_view::npos) {
            value = option.substr(equals + 1);
            option = option.substr(0, equals);
        } else if (index + 1 < command.program) {
            value = arguments[index + 1];
        }
        if (option == "-v" || option == "--volume") read_volume(value, command);
        if (option == "--mount") read_mount(value, command);
        if (option == "-e" || option == "--env") command.assignments.emplace_back(value);
        if (option == "--env-file" || option == "--env-host" || option == "--secret")
            command.environment_unknown = true;
    }
}

/// With -S, env takes a whole command out of one word.
std::string changing_program(const std::vector<std::string>& arguments, std::size_t program) {
    if (program == 0) return {};
    const auto splits = [](const std::string& word) {
        return word.starts_with("-S") || word.starts_with("--split-string");
    };
    const auto end = arguments.begin() + static_cast<std::ptrdiff_t>(program);
    const bool known = !program_among(handing_on, arguments).empty();
    if (known && std::none_of(arguments.begin(), end, splits)) return {};
    return std::string(base_name(arguments.front()));
}

}  // namespace

std::string container_program(const std::vector<std::string>& arguments) {
    return program_among(containers, arguments);
}

std::string shell_program(const std::vector<std::string>& arguments) {
    return program_among(shells, arguments);
}

std::optional<std::string> CloudflaredCommand::value_of(std::string_view name) const {
    const auto found = std::find_if(options.rbegin(), options.rend(),
                                    [&](const Option& option) { return option.name == name; });
    if (found == options.rend()) return std::nullopt;
    return found->value;
}

std::string CloudflaredCommand::path_outside(const std::string& path) const {
    std::string outside;
    std::size_t longest = 0;
    for (const auto& [inside, source] : mounts) {
        const bool below = path.starts_with(inside + '/') || path == inside;
        const bool is_path =
            source.starts_with('/') || source.starts_with('%') || source.starts_with('$');
        if (!below || inside.size() < longest) continue;
        longest = inside.size();
        outside = is_path ? source + path.substr(inside.size()) : std::string();
    }
    return outside;
}

bool mentions_tunnel_run(const std::vector<std::string>& arguments) {
    constexpr std::string_view between_words = " \t\n;|&()'\"`";
    bool tunnel = false;
    for (const std::string_view argument : arguments) {
        for (std::size_t begin = 0; begin < argument.size();) {
            const std::size_t end =
                std::min(argument.find_first_of(between_words, begin), argument.size());
            const std::string_view word = argument.substr(begin, end - begin);
            if (tunnel && word == "run") return true;
            tunnel = tunnel || word == "tunnel";
            begin = end + 1;
        }
    }
    return false;
}

std::optional<CloudflaredCommand> read_cloudflared_command(
    const std::vector<std::string>& arguments) {
    if (!shell_program(arguments).empty()) return std::nullopt;
    const bool contained = !container_program(arguments).empty();
    const bool other_first = contained || !program_among(handing_on, arguments).empty();
    for (std::size_t index = other_first ? 1 : 0; index < arguments.size(); ++index) {
        auto command = read_from(arguments, index);
        if (!command) continue;
        if (contained) {
            read_container(arguments, *command);
            return command;
        }
        for (std::size_t front = 1; front < index; ++front) {
            if (arguments[front].find('=') != std::string::npos)
                command->assignments.push_back(arguments[front]);
        }
        command->front = changing_program(arguments, index);
        return command;
    }
    return std::nullopt;
}

}  // namespace keyturn
