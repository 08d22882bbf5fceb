#pragma once

#include "journal/event.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The event as journald takes it: "FIELD=value" each, in a fixed order, without the empty ones.
[[nodiscard]] std::vector<std::string> journal_fields(const Event& event);

}  // namespace keyturn
