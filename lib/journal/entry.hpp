#pragma once

#include "journal/event.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The event as journald takes it: "FIELD=value" each, in a fixed order, without the empty ones.
[[nodiscard]] std::vector<std::string> journal_fields(const Event& event);

/// The event as one line "<P>message" for stderr, where systemd reads the priority from. A message
/// of several lines becomes one, so that no part of it is taken for a line of its own.
[[nodiscard]] std::string plain_line(const Event& event);

}  // namespace keyturn
