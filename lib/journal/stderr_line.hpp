#pragma once

#include <string_view>

namespace keyturn {

/// Writes "<P>TEXT" to stderr, as systemd reads it: one line, all of it visible. Never waits for
/// whoever reads: what stderr does not take at once is dropped, and the next line that it takes
/// tells how many were.
void tell_stderr(int priority, std::string_view text);

}  // namespace keyturn
