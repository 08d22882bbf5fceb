#pragma once

#include <string>
#include <string_view>

namespace keyturn {

// What to write instead of a time that was refused. Each hint begins with "; ". A suggested time
// occurs exactly when the author's words mean, in the language they are written in. If programs
// disagree on what the words mean, the hint suggests nothing.

/// A hint for a text that `parse_calendar` refused.
[[nodiscard]] std::string calendar_hint(std::string_view text);

/// A hint for a text that `parse_cron` refused.
[[nodiscard]] std::string cron_hint(std::string_view text);

/// A hint for a name that `find_time_zone` did not find.
[[nodiscard]] std::string zone_hint(std::string_view text);

}  // namespace keyturn
