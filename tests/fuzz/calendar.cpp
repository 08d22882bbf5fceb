// A calendar of the policy. What is accepted has one normal form, and moments that follow each
// other.
#include "schedule/calendar.hpp"

#include "fuzz/input.hpp"

using namespace keyturn;

namespace {

/// In spring, before clocks are put forward.
constexpr WallTime base = std::chrono::sys_days{std::chrono::year{2026} / 3 / 28};

void check_moments(const Calendar& calendar, const TimeZone& zone) {
    WallTime at = base;
    for (int i = 0; i < 20; ++i) {
        const std::optional<WallTime> next = calendar.next_after(at, zone);
        if (!next) return;
        invariant(*next > at, "time goes on");
        invariant(calendar.next_after(*next - Milliseconds{1}, zone) == next, "a moment is found");
        invariant(calendar.next_after(at + (*next - at) / 2, zone) == next, "none is between");
        at = *next;
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = fuzz::with_secrets(fuzz::text_of(data, size));
    const Result<Calendar> calendar = parse_calendar(text);
    if (!calendar) {
        const std::string& why = calendar.error().text;
        invariant(calendar.error().fault == Fault::invalid, "a calendar is refused as invalid");
        invariant(!why.empty() && fuzz::is_one_line(why), "a refusal is one line");
        invariant(!fuzz::tells_secret(why), "a refusal tells no secret");
        return 0;
    }
    const Result<Calendar> again = parse_calendar(calendar->text());
    invariant(again && *again == *calendar, "a calendar is read as it is written");
    invariant(again->text() == calendar->text(), "there is one normal form");
    check_moments(*calendar, TimeZone{});
    check_moments(*calendar, find_time_zone("Europe/Berlin").value());
    return 0;
}
