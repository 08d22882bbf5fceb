#pragma once

#include "journal/event.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The event in journald's form: "FIELD=value" strings in a fixed order, without empty fields.
[[nodiscard]] std::vector<std::string> journal_fields(const Event& event);

}  // namespace keyturn
