#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace keyturn {

/// Prints text to the operator. On a terminal, its long lines are wrapped between words; elsewhere
/// they stay whole.
void say_text(const std::string& text, std::FILE* stream = stdout);

template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
    say_text(fmt::format(format, std::forward<Values>(values)...));
}

/// Asks a question that "y" or Enter answers with yes. False without a terminal, and if it
/// ends.
[[nodiscard]] bool confirmed(const std::string& question);

/// Asks for a secret, which the terminal does not show. `denied` without a
/// terminal, `cancelled` if there is no answer (Ctrl-D).
[[nodiscard]] Result<Secret> ask_secret(const std::string& question);

/// True if a person can answer.
[[nodiscard]] bool has_terminal();

}  // namespace keyturn
