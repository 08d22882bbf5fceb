#pragma once

#include "base/error.hpp"
#include "wire/tunnel_status.hpp"

#include <string_view>
#include <vector>

namespace keyturn {

/// The exit codes of keyturnctl. Scripts rely on these numbers.
enum class ExitCode : int {
    ok = 0,
    error = 1,
    usage = 2,
    held = 3,
    refused = 4,
    not_running = 5,
    findings = 6,
    reverted = 7,
    superseded = 8,     ///< By another rotation, or by somebody else's token.
    interrupted = 130,  ///< Ctrl-C while following, as shells count it.
};

[[nodiscard]] constexpr ExitCode exit_code_of(Fault fault) {
    switch (fault) {
        case Fault::unreachable: return ExitCode::not_running;
        case Fault::denied:
        case Fault::conflict: return ExitCode::refused;
        default: return ExitCode::error;
    }
}

/// Returns the code for the outcome of a rotation, as in a tunnel's `last_outcome`.
[[nodiscard]] ExitCode exit_code_of_outcome(std::string_view outcome);

/// Returns the code of the tunnel that needs a person most.
[[nodiscard]] ExitCode exit_code_of(const std::vector<TunnelStatus>& tunnels);

}  // namespace keyturn
