#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// A command line `cloudflared [options] tunnel [options] run [options] [TUNNEL]`, read as
/// cloudflared's own library reads it: options begin with one or two dashes, take their value from
/// "=" or from the next argument, the last of a kind counts, and all of them end at the first word
/// after `run`. A program in front that starts cloudflared (env, ip netns exec) is allowed.
struct CloudflaredCommand {
    struct Option {
        std::string name;  ///< Without dashes; aliases are replaced by the name they stand for.
        std::string value;
        std::size_t first = 0;  ///< Its place in the arguments,
        std::size_t count = 1;  ///< and how many of them it takes.
    };

    std::vector<Option> options;
    std::vector<std::string> assignments;  ///< NAME=VALUE in front of the program's name.
    std::size_t program = 0;    ///< Where cloudflared is named; the arguments before are another's.
    std::size_t after_run = 0;  ///< Where an option of `run` can be put in.

    /// The value of the option that counts, if it is given at all.
    [[nodiscard]] std::optional<std::string> value_of(std::string_view name) const;
};

/// Nothing for any other command.
[[nodiscard]] std::optional<CloudflaredCommand> read_cloudflared_command(
    const std::vector<std::string>& arguments);

/// Whether the words `tunnel` and, behind it, `run` are anywhere in a command, also inside of an
/// argument for a shell: then it may start a connector, in whatever way.
[[nodiscard]] bool mentions_tunnel_run(const std::vector<std::string>& arguments);

}  // namespace keyturn
