#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// A command line `PROGRAM [options] tunnel [options] run [options] [TUNNEL]`, whatever the program
/// is called, read as cloudflared's own library reads it: options begin with one or two dashes,
/// take their value from "=" or from the next argument, the last of a kind counts, and all of them
/// end at the first word after `run`. A program may stand in front (env, ip netns exec), and a
/// container (docker run, podman run) around it.
struct CloudflaredCommand {
    struct Option {
        std::string name;  ///< Without dashes; aliases are replaced by the name they stand for.
        std::string value;
        std::size_t first = 0;  ///< Its place in the arguments,
        std::size_t count = 1;  ///< and how many of them it takes.
    };

    std::vector<Option> options;
    std::vector<std::string> assignments;  ///< NAME=VALUE in front of the program's name; NAME
                                           ///< alone is handed on into a container.
    std::string front;       ///< A program in front that may change the environment or the words.
    bool contained = false;  ///< Files and environment are a container's.
    bool environment_unknown = false;                         ///< A container's, from a file.
    std::vector<std::pair<std::string, std::string>> mounts;  ///< Path inside, path outside.
    std::size_t program = 0;    ///< Where cloudflared is named; the arguments before are another's.
    std::size_t after_run = 0;  ///< Where an option of `run` can be put in.
    std::size_t tunnel = 0;     ///< Where the tunnel is named; behind the end: nowhere.

    /// The value of the option that counts, if it is given at all.
    [[nodiscard]] std::optional<std::string> value_of(std::string_view name) const;
};

/// Nothing for any other command, and for one that a shell is given as a text.
[[nodiscard]] std::optional<CloudflaredCommand> read_cloudflared_command(
    const std::vector<std::string>& arguments);

/// "docker", "bash" or the like, where such a program is what is started; else empty.
[[nodiscard]] std::string container_program(const std::vector<std::string>& arguments);
[[nodiscard]] std::string shell_program(const std::vector<std::string>& arguments);

/// Whether the words `tunnel` and, behind it, `run` are anywhere in a command, also inside of an
/// argument for a shell: then it may start a connector, in whatever way.
[[nodiscard]] bool mentions_tunnel_run(const std::vector<std::string>& arguments);

}  // namespace keyturn
