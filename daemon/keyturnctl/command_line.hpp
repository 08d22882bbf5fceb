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
    unsigned next = 3;   ///< Starts of each.
    bool json = false;
};

/// Answered by keyturnd's own reader of policies, whether a daemon runs or not.
struct CheckCommand {
    std::string file;  ///< Empty: keyturnd's own.
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

/// There is nothing to do but to say this: help, the version, or what is wrong with the command
/// line.
struct SayCommand {
    std::string text;
    ExitCode exit_code = ExitCode::ok;  ///< Anything but `ok` goes to stderr.
};

using Command = std::variant<StatusCommand, PlanCommand, CheckCommand, RotateCommand,
                             DecisionCommand, SayCommand>;

/// `arguments` without the name of the program.
[[nodiscard]] Command parse_command_line(const std::vector<std::string>& arguments);

}  // namespace keyturn
