// A duration of the policy. What is accepted can be written and read again, and durations add up.
#include "policy/duration.hpp"

#include "fuzz/input.hpp"

#include <fmt/format.h>

using namespace keyturn;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = fuzz::with_secrets(fuzz::text_of(data, size));
    const Result<Milliseconds> duration = parse_duration(text);
    if (!duration) {
        const std::string& why = duration.error().text;
        invariant(duration.error().fault == Fault::invalid, "a duration is refused as invalid");
        invariant(!why.empty() && fuzz::is_one_line(why), "a refusal is one line");
        invariant(!fuzz::tells_secret(why), "a refusal tells no secret");
        return 0;
    }
    invariant(duration->count() >= 0, "no duration is negative");
    invariant(!to_text(*duration).empty(), "a duration can be written for people");
    const auto again = parse_duration(fmt::format("{}ms", duration->count()));
    invariant(again && *again == *duration, "a duration is read as it is written");
    if (text == "0") return 0;
    const auto sum = parse_duration(text + " 1s");
    const bool fits = duration->count() <= std::numeric_limits<std::int64_t>::max() - 1000;
    invariant(sum.has_value() == fits, "a duration may have one part more unless it overflows");
    invariant(!fits || *sum == *duration + Milliseconds{1000}, "parts add up");
    return 0;
}
