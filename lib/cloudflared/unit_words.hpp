#pragma once

#include <string>
#include <string_view>

namespace keyturn {

// Texts as other programs read them back. Pure.

/// On one line, with control characters written as systemd and C write them.
[[nodiscard]] std::string on_one_line(std::string_view text);

/// With "%" doubled, so that systemd expands nothing in it.
[[nodiscard]] std::string without_specifiers(std::string_view text);

/// An argument as ExecStart= writes it. "$" stays: systemd expands variables when it starts the
/// command, and shows them unexpanded.
[[nodiscard]] std::string as_unit_file_word(std::string_view argument);

/// An argument as a shell takes it unchanged. It is to be of one line.
[[nodiscard]] std::string as_shell_word(std::string_view text);

/// What follows the last "/".
[[nodiscard]] std::string_view base_name(std::string_view path);

}  // namespace keyturn
