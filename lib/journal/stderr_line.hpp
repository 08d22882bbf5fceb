#pragma once

#include <string_view>

namespace keyturn {

/// Writes "<P>TEXT" to stderr in systemd's format (sd-daemon(3)): one line, all of it visible.
/// Never waits for the reader: a line that stderr does not accept immediately is dropped, and the
/// next accepted line reports how many were.
void tell_stderr(int priority, std::string_view text);

}  // namespace keyturn
