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

/// Also `status --follow`.
struct WatchCommand {
    std::string tunnel;  ///< Empty: all of them.
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
    bool detach = false;  ///< Also if the operator's own login comes through the only connector.
};

struct DecisionCommand {
    Decision decision = Decision::retry;
    std::string tunnel;
    bool follow = false;
};

struct FleetCommand {
    std::string command;   ///< "status", "key", or one of `fleet_commands`.
    std::string tunnel;    ///< Empty for "key".
    std::string argument;  ///< A host or a rev.
};

/// A command that only root can run: another program performs it, because it needs libraries that
/// would make the start of `keyturnctl status` too slow.
struct ForwardedCommand {
    std::vector<std::string> arguments;  ///< As given, with the name of the command.
};

/// A text to print instead of running a command: help, the version, or an error in the command
/// line.
struct SayCommand {
    std::string text;
    ExitCode exit_code = ExitCode::ok;  ///< Anything but `ok` goes to stderr.
};

using Command = std::variant<StatusCommand, WatchCommand, PlanCommand, CheckCommand, RotateCommand,
                             DecisionCommand, FleetCommand, ForwardedCommand, SayCommand>;

/// Parses the command line; `arguments` does not contain the program name.
[[nodiscard]] Command parse_command_line(const std::vector<std::string>& arguments);

}  // namespace keyturn
