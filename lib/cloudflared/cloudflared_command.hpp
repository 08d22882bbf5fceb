#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// A command line `PROGRAM [options] tunnel [options] run [options] [TUNNEL]`, whatever the name of
/// the program. Options follow the rules of cloudflared's library (urfave/cli): they begin with one
/// or two dashes and take their value from "=" or the next argument, the last one of a kind counts,
/// and all options end at the first word after `run`. Another program may come first (env, ip netns
/// exec), or a container may be around it (docker run, podman run).
struct CloudflaredCommand {
    struct Option {
        std::string name;  ///< Without dashes; an alias is replaced by the full name.
        std::string value;
        std::size_t first = 0;  ///< Index of its first argument.
        std::size_t count = 1;  ///< How many arguments it takes.
    };

    std::vector<Option> options;
    std::vector<std::string> assignments;  ///< NAME=VALUE before the program's name; NAME alone is
                                           ///< passed on into a container.
    std::string front;       ///< A program before it that may change the environment or the words.
    bool contained = false;  ///< Files and environment are those of a container.
    bool environment_unknown = false;  ///< The container's environment comes from a file.
    std::vector<std::pair<std::string, std::string>> mounts;  ///< Path inside, path outside.
    std::size_t program = 0;  ///< Index of cloudflared; arguments before it are another program's.
    std::size_t after_run = 0;  ///< Index at which an option of `run` can be inserted.
    std::size_t tunnel = 0;     ///< Index of the tunnel's name; past the end if it is not named.

    /// The value of the option that takes effect; nothing if the option is not given.
    [[nodiscard]] std::optional<std::string> value_of(std::string_view name) const;

    /// The path outside a container for a path inside, by its longest mount; empty if it is in the
    /// image or in a volume of the engine.
    [[nodiscard]] std::string path_outside(const std::string& path) const;
};

/// Returns nothing for any other command, and for a command inside a shell's argument.
[[nodiscard]] std::optional<CloudflaredCommand> read_cloudflared_command(
    const std::vector<std::string>& arguments);

/// The name of the program, such as "docker" or "bash", if that is what is started; otherwise
/// empty.
[[nodiscard]] std::string container_program(const std::vector<std::string>& arguments);
[[nodiscard]] std::string shell_program(const std::vector<std::string>& arguments);

/// True if the word `tunnel` and, after it, the word `run` occur in a command, even inside an
/// argument for a shell. Such a command may start a connector in some way.
[[nodiscard]] bool mentions_tunnel_run(const std::vector<std::string>& arguments);

}  // namespace keyturn
