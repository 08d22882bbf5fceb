#pragma once

#include "base/result.hpp"
#include "schedule/calendar.hpp"

#include <string_view>
#include <vector>

namespace keyturn {

/// Reads the five fields of crontab(5) (minute, hour, day of month, month and day of week) or one
/// of its words such as `@weekly`. A rotation is due when any of the resulting calendars is. There
/// are two calendars if both day fields are restricted, because cron then takes a day that matches
/// either. Errors are `Fault::invalid`; their text completes "`cron` ...".
[[nodiscard]] Result<std::vector<Calendar>> parse_cron(std::string_view text);

}  // namespace keyturn
