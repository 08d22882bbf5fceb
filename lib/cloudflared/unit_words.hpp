#pragma once

#include <string>
#include <string_view>

namespace keyturn {

// These functions write texts so that other programs read them back unchanged. Pure.

/// A text on one line, with control characters in the notation of systemd and C.
[[nodiscard]] std::string on_one_line(std::string_view text);

/// A text with "%" doubled, so that systemd expands nothing in it.
[[nodiscard]] std::string without_specifiers(std::string_view text);

/// An argument as ExecStart= writes it. "$" stays, because systemd shows variables unexpanded and
/// expands them only when it starts the command.
[[nodiscard]] std::string as_unit_file_word(std::string_view argument);

/// An argument that a shell reads unchanged. It must be a single line.
[[nodiscard]] std::string as_shell_word(std::string_view text);

/// The part after the last "/".
[[nodiscard]] std::string_view base_name(std::string_view path);

}  // namespace keyturn
