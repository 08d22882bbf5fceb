#pragma once

#include <string>
#include <string_view>

namespace keyturn {

// What to write in place of a time that was refused; each begins with "; ". What is suggested fires
// exactly when the author's words mean, in the language that they are written in. Where these words
// mean one thing to some programs and another to others, nothing is suggested.

/// For what `parse_calendar` refused.
[[nodiscard]] std::string calendar_hint(std::string_view text);

/// For what `parse_cron` refused.
[[nodiscard]] std::string cron_hint(std::string_view text);

/// For what `find_time_zone` did not find.
[[nodiscard]] std::string zone_hint(std::string_view text);

}  // namespace keyturn
