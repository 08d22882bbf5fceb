#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>

namespace keyturn {

/// Asks a question that "y" or Enter answers with yes. False without a terminal, and if there is no
/// answer (Ctrl-D).
[[nodiscard]] bool confirmed(const std::string& question);

/// Asks for a secret, which the terminal does not show. `denied` without a terminal, `cancelled` if
/// there is no answer (Ctrl-D).
[[nodiscard]] Result<Secret> ask_secret(const std::string& question);

/// True if a person can answer.
[[nodiscard]] bool has_terminal();

}  // namespace keyturn
