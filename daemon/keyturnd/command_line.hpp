#pragma once

#include <string>
#include <variant>

namespace keyturn {

struct CommandLine {
    std::string policy_file = "/etc/keyturn/keyturn.yaml";
    std::string state_directory = "/var/lib/keyturn";
    bool check = false;   ///< Only check the policy and show what it means.
    bool quiet = false;   ///< With `check`: show only errors.
    bool schema = false;  ///< Only print the JSON Schema of the policy.
};

/// The options, or the exit code if CLI11 has already answered (--help, --version, a wrong option).
using ParsedCommandLine = std::variant<CommandLine, int>;

[[nodiscard]] ParsedCommandLine parse_command_line(int argc, char** argv);

}  // namespace keyturn
