#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace keyturn {

struct CommandResult {
    int exit_code = 0;   ///< 128 + the signal if one ended it.
    Secret output;       ///< What it printed.
    std::string errors;  ///< What it wrote to stderr, at most 4 KiB.
};

/// How much of a program's output is kept, in bytes.
inline constexpr std::size_t command_output_max = std::size_t{1024} * 1024;

/// Runs a program from PATH with `input` as its standard input and waits for its end. Ends it after
/// `deadline`: `unreachable`. `missing` if there is no such program.
[[nodiscard]] Result<CommandResult> run_command(
    const std::vector<std::string>& words, const Secret& input = Secret(),
    std::chrono::seconds deadline = std::chrono::seconds{90},
    std::size_t output_max = command_output_max);

/// Like `run_command`, but an exit code other than 0 is an error with what it wrote to stderr.
[[nodiscard]] Result<Secret> run_or_fail(const std::vector<std::string>& words,
                                         const Secret& input = Secret());

}  // namespace keyturn
