#include "cloudflared/cloudflared_command.hpp"

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

/// The options without a value, of `cloudflared`, `tunnel` and `run`. All others take the next
/// argument if they have no "=".
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

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_switch(std::string_view name) {
    return std::find(switches.begin(), switches.end(), name) != switches.end();
}

/// The program itself may be a file of any version ("cloudflared-linux-amd64"); behind another
/// program only the plain name is recognised, because there it could be any argument.
std::optional<std::size_t> find_program(const std::vector<std::string>& arguments) {
    if (arguments.empty()) return std::nullopt;
    if (base_name(arguments.front()).starts_with("cloudflared")) return 0;
    for (std::size_t index = 1; index < arguments.size(); ++index) {
        if (!arguments[index].starts_with('-') && base_name(arguments[index]) == "cloudflared")
            return index;
    }
    return std::nullopt;
}

/// Reads options and words of one command line from left to right.
class Reader {
  public:
    Reader(const std::vector<std::string>& arguments, std::size_t next)
        : arguments_(arguments), next_(next) {}

    /// Up to the next word, which it gives back; nothing at the end.
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

}  // namespace

std::optional<std::string> CloudflaredCommand::value_of(std::string_view name) const {
    const auto found = std::find_if(options.rbegin(), options.rend(),
                                    [&](const Option& option) { return option.name == name; });
    if (found == options.rend()) return std::nullopt;
    return found->value;
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
    const auto program = find_program(arguments);
    if (!program) return std::nullopt;
    CloudflaredCommand command;
    command.program = *program;
    for (std::size_t index = 1; index < *program; ++index) {
        if (arguments[index].find('=') != std::string::npos)
            command.assignments.push_back(arguments[index]);
    }
    Reader reader(arguments, *program + 1);
    if (reader.read_options(command.options) != "tunnel") return std::nullopt;
    if (reader.read_options(command.options) != "run") return std::nullopt;
    command.after_run = reader.next();
    reader.read_options(command.options);
    return command;
}

}  // namespace keyturn
