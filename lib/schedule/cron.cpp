#include "schedule/cron.hpp"

#include "base/ascii.hpp"
#include "base/counted.hpp"
#include "base/invariant.hpp"
#include "schedule/written.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace keyturn {
namespace {

struct Field {
    std::string_view name;
    int low = 0;
    int high = 0;
    std::string_view words = {};  ///< Three letters each, starting with the word for `low`.
};

constexpr std::size_t word_size = 3;
constexpr std::array fields{
    Field{"minute", 0, 59},
    Field{"hour", 0, 23},
    Field{"day of month", 1, 31},
    Field{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    Field{"day of week", 0, 7, "sunmontuewedthufrisat"},  // 0 and 7 are Sunday.
};
enum : std::size_t { minute_field, hour_field, day_field, month_field, weekday_field };

constexpr std::array words{
    ShortForm{"@yearly", "0 0 1 1 *"},  ShortForm{"@annually", "0 0 1 1 *"},
    ShortForm{"@monthly", "0 0 1 * *"}, ShortForm{"@weekly", "0 0 * * 0"},
    ShortForm{"@daily", "0 0 * * *"},   ShortForm{"@midnight", "0 0 * * *"},
    ShortForm{"@hourly", "0 * * * *"},
};

/// A set of values of a field, one bit each.
using Values = std::uint64_t;

Values bit(int value) {
    return Values{1} << value;
}

Error wrong(std::string_view what) {
    return {Fault::invalid, fmt::format("is not a cron expression: {}", what)};
}

/// Reads a number or one of the field's words; nothing for any other text.
std::optional<int> read_value(const Field& field, std::string_view text) {
    if (text.size() == word_size) {
        const auto place = field.words.find(text);
        if (place != std::string_view::npos && place % word_size == 0) {
            return field.low + static_cast<int>(place / word_size);
        }
    }
    const std::optional<int> value = to_number<int>(text);
    return value.value_or(-1) >= 0 ? value : std::nullopt;
}

/// Reads one of the parts between commas: `*`, `5` or `1-5`. `/2` may follow all but `5`. The text
/// of an error completes "its minute `61` ...".
Result<Values> read_part(const Field& field, std::string_view part) {
    const auto refuse = [](std::string text) { return Error{Fault::invalid, std::move(text)}; };
    if (part.empty()) return refuse("has an empty part before, between or after commas");
    const auto slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    const auto dash = range.find('-');
    const bool single = range != "*" && dash == std::string_view::npos;
    const bool repeats = slash != std::string_view::npos;
    std::optional<int> first = field.low;
    std::optional<int> last = field.high;
    if (range != "*") {
        first = read_value(field, range.substr(0, dash));
        last = single ? first : read_value(field, range.substr(dash + 1));
    }
    const std::optional<int> step = repeats ? read_value({}, part.substr(slash + 1)) : 1;
    const bool inside = first && last && *first >= field.low && *first <= field.high &&
                        *last >= field.low && *last <= field.high;
    if (inside && *first > *last) return refuse("is a range that runs backwards");
    if (inside && step == 0) return refuse("has a step of 0");
    if (inside && single && repeats) {
        return refuse("has a step after a single value; a step must follow `*` or a range");
    }
    if (!inside && std::ranges::all_of(part, is_digit)) {
        return refuse(fmt::format("is not between {} and {}", field.low, field.high));
    }
    if (!inside || !step) {
        return refuse(fmt::format(
            "must consist of numbers from {} to {}{}", field.low, field.high,
            field.words.empty()
                ? ""
                : fmt::format(" or words such as `{}`", field.words.substr(0, word_size))));
    }
    Values values = 0;
    // A 64-bit value, because a step may be any number that fits an int.
    for (std::int64_t value = *first; value <= *last; value += *step) {
        values |= bit(static_cast<int>(value));
    }
    return values;
}

std::vector<int> listed(Values values) {
    std::vector<int> list;
    for (int value = 0; value < 64; ++value) {
        if ((values & bit(value)) != 0) list.push_back(value);
    }
    return list;
}

/// The values in systemd's notation; `*` if they fill the field.
std::string text_of(const Field& field, Values values) {
    const std::vector<int> list = listed(values);
    const int all = field.high - field.low + 1;
    if (std::popcount(values) == all) return "*";
    if (list.size() > 2) {
        const int step = list[1] - list[0];
        const auto irregular = std::ranges::adjacent_find(
            list, [&](int left, int right) { return right - left != step; });
        if (irregular == list.end()) {
            return fmt::format("{}..{}/{}", list.front(), list.back(), step);
        }
    }
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i) {
        std::size_t end = i + 1;
        while (end < list.size() && list[end] == list[end - 1] + 1) ++end;
        if (!text.empty()) text += ',';
        text += fmt::format("{}", list[i]);
        if (end - i > 2) {
            text += fmt::format("..{}", list[end - 1]);
            i = end - 1;
        }
    }
    return text;
}

std::string text_of_weekdays(Values values) {
    if ((values & bit(0)) != 0) values |= bit(7);
    std::string text;
    for (std::size_t i = 0; i < weekday_names.size(); ++i) {
        if ((values & bit(static_cast<int>(i) + 1)) == 0) continue;
        text += fmt::format("{}{}", text.empty() ? "" : ",", weekday_names[i]);
    }
    return text;
}

Calendar calendar_of(const std::array<Values, fields.size()>& values, bool by_day,
                     bool by_weekday) {
    const auto part = [&](std::size_t field) { return text_of(fields[field], values[field]); };
    std::string expression;
    if (by_weekday) expression = text_of_weekdays(values[weekday_field]) + ' ';
    expression += fmt::format("*-{}-{} {}:{}:00", part(month_field),
                              by_day ? part(day_field) : std::string{"*"}, part(hour_field),
                              part(minute_field));
    const Result<Calendar> calendar = parse_calendar(expression);
    invariant(calendar.has_value(), "every cron expression has equivalent calendars");
    return *calendar;
}

}  // namespace

Result<std::vector<Calendar>> parse_cron(std::string_view text) {
    if (text.size() > calendar_bytes_max) {
        return Error{Fault::invalid,
                     fmt::format("is longer than {} characters", calendar_bytes_max)};
    }
    std::string sound = lower(text);
    if (sound == "@reboot") return wrong("a reboot is not a time");
    const auto word = std::ranges::find(words, sound, &ShortForm::word);
    if (word != words.end()) {
        sound = word->expression;
    } else if (sound.starts_with('@')) {
        return wrong(fmt::format(
            "{} is not one of its words, which are @hourly, @daily, @weekly, @monthly and @yearly",
            written(text, "it")));
    }

    std::vector<std::string_view> parts = split(sound, " \t");
    std::erase(parts, std::string_view{});
    if (parts.size() != fields.size()) {
        return wrong(
            fmt::format("it has {}, not {}", counted(parts.size(), "field"), fields.size()));
    }
    std::array<Values, fields.size()> values{};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        for (const std::string_view part : split(parts[i], ",")) {
            const Result<Values> some = read_part(fields[i], part);
            if (!some) {
                // Not for a part of a word such as @weekly: here the two texts are equal except for
                // case.
                const auto at = static_cast<std::size_t>(part.data() - sound.data());
                return wrong(fmt::format("its {}{} {}", fields[i].name,
                                         written(text.substr(at, part.size())), some.error().text));
            }
            values[i] |= *some;
        }
    }
    const bool any_day = parts[day_field].starts_with('*');
    const bool any_weekday = parts[weekday_field].starts_with('*');
    if (any_day || any_weekday) return std::vector{calendar_of(values, true, true)};
    return std::vector{calendar_of(values, true, false), calendar_of(values, false, true)};
}

}  // namespace keyturn
