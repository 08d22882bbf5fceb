#pragma once

#include "base/result.hpp"
#include "schedule/calendar.hpp"

#include <string_view>
#include <vector>

namespace keyturn {

/// Reads the five fields of crontab(5), minute, hour, day of month, month and day of week, or one
/// of its words such as `@weekly`. The result comes due when any of its calendars does: there are
/// two where both day fields are restricted, because cron then takes a day that fits either. The
/// text of an error completes "`cron` ...".
[[nodiscard]] Result<std::vector<Calendar>> parse_cron(std::string_view text);

}  // namespace keyturn
