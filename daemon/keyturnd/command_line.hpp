#pragma once

#include <string>
#include <variant>

namespace keyturn {

struct CommandLine {
    std::string policy_file = "/etc/keyturn/keyturn.yaml";
    std::string state_directory = "/var/lib/keyturn";
    std::string surge_unit;  ///< Only print the unit that helps out for this tunnel.
    std::string output;      ///< The file that it is written into; empty: standard output.
    bool check = false;      ///< Only read the policy and say what it means.
    bool quiet = false;      ///< With that: only what is wrong with it.
    bool schema = false;     ///< Only print the policy's language as a JSON Schema.
};

/// The options, or the exit code of a call that is already answered (--help, --version, a typo).
using ParsedCommandLine = std::variant<CommandLine, int>;

[[nodiscard]] ParsedCommandLine parse_command_line(int argc, char** argv);

}  // namespace keyturn
