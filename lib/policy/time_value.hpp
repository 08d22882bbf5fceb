#pragma once

#include "base/result.hpp"
#include "policy/value.hpp"

#include <string_view>

namespace keyturn {

/// These functions read the values that name a time. Errors are `Fault::invalid`; their text
/// completes "`KEY` ...".
[[nodiscard]] Result<PolicyValue> read_time_zone(std::string_view text);
[[nodiscard]] Result<PolicyValue> read_calendar(std::string_view text);
[[nodiscard]] Result<PolicyValue> read_cron(std::string_view text);

/// Reads "2026-12-20", "2026-12-20 18:00" or "2026-12-20 18:00:30", in the years 2000 to 2199. A
/// date without a time stands for the moment `length_of_date` after its day begins.
[[nodiscard]] Result<PolicyValue> read_freeze(std::string_view text,
                                              std::chrono::days length_of_date);

/// Reads a text that status and journal repeat: short, and without anything like a secret.
[[nodiscard]] Result<PolicyValue> read_remark(std::string_view text);

}  // namespace keyturn
