#pragma once

#include "exit_code.hpp"
#include "wire/requests.hpp"

#include <string>
#include <variant>
#include <vector>

namespace keyturn {

struct StatusCommand {
    std::string tunnel;  ///< Empty: all of them.
    bool json = false;
};

struct PlanCommand {
    std::string tunnel;  ///< Empty: all of them.
    unsigned next = 3;   ///< Number of starts for each tunnel.
    bool json = false;
};

/// `keyturnd --check` answers it, even if the daemon is not running.
struct CheckCommand {
    std::string file;  ///< Empty: keyturnd's default.
};

struct RotateCommand {
    std::string tunnel;
    RotationRequest request;
    bool follow = false;
};

struct DecisionCommand {
    Decision decision = Decision::retry;
    std::string tunnel;
    bool follow = false;
};

/// A text to print instead of running a command: help, the version, or an error in the command
/// line.
struct SayCommand {
    std::string text;
    ExitCode exit_code = ExitCode::ok;  ///< Anything but `ok` goes to stderr.
};

using Command = std::variant<StatusCommand, PlanCommand, CheckCommand, RotateCommand,
                             DecisionCommand, SayCommand>;

/// Parses the command line; `arguments` does not contain the program name.
[[nodiscard]] Command parse_command_line(const std::vector<std::string>& arguments);

}  // namespace keyturn
