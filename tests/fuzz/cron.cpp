// Five fields of cron in the policy. What is accepted is one or two calendars.
#include "schedule/cron.hpp"

#include "fuzz/input.hpp"

using namespace keyturn;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = fuzz::with_secrets(fuzz::text_of(data, size));
    const Result<std::vector<Calendar>> calendars = parse_cron(text);
    if (!calendars) {
        const std::string& why = calendars.error().text;
        invariant(calendars.error().fault == Fault::invalid, "cron is refused as invalid");
        invariant(!why.empty() && fuzz::is_one_line(why), "a refusal is one line");
        invariant(!fuzz::tells_secret(why), "a refusal tells no secret");
        return 0;
    }
    invariant(calendars->size() == 1 || calendars->size() == 2, "cron is one or two calendars");
    for (const Calendar& calendar : *calendars) {
        const Result<Calendar> again = parse_calendar(calendar.text());
        invariant(again && *again == calendar, "what cron says can be written as a calendar");
        invariant(calendar.text().ends_with(":00"), "cron knows no seconds");
        invariant(!calendar.zone(), "cron knows no zones");
    }
    return 0;
}
