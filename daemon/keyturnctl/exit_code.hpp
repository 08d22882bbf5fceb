#pragma once

#include "base/error.hpp"

namespace keyturn {

/// What keyturnctl tells the shell. Scripts rely on these numbers.
enum class ExitCode : int {
    ok = 0,
    error = 1,
    usage = 2,
    held = 3,
    refused = 4,
    not_running = 5,
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

}  // namespace keyturn
