#include "policy/time_hint.hpp"

#include "base/ascii.hpp"
#include "policy/duration.hpp"
#include "policy/suggestion.hpp"
#include "schedule/cron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace keyturn {
namespace {

constexpr std::size_t loud_size_max = 8;   // "EST5EDT"
constexpr std::size_t quiet_size_max = 5;  // "aest"
constexpr std::array weekday_words{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::array cron_field_max{"59", "23", "31", "12", "7"};
constexpr std::array cron_field_min{"0", "0", "1", "1", "0"};
enum : std::size_t { day_field = 2, weekday_field = 4, field_count = 5 };

/// The words of `text`, which must outlive them.
std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words = split(text, " ");
    std::erase(words, std::string_view{});
    return words;
}

std::string write(std::string_view suggestion) {
    return fmt::format("; write `{}`", suggestion);
}

/// "+02:00", "UTC+2", "GMT-0530": a common way to write a time zone without naming a place.
struct Offset {
    bool ambiguous = false;  ///< Programs disagree on the sign after GMT.
    bool east = false;
    unsigned hours = 0;
    unsigned minutes = 0;
};

std::optional<Offset> read_offset(std::string_view text) {
    Offset offset;
    const std::string front = lower(text.substr(0, 3));
    offset.ambiguous = front == "gmt";
    if (front == "gmt" || front == "utc") text.remove_prefix(3);
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    offset.east = text.front() == '+';
    text.remove_prefix(1);
    const bool short_form = text.size() == 4 && text.find(':') == std::string_view::npos;
    const auto colon = short_form ? 2 : std::min(text.find(':'), text.size());
    const auto hours = to_number<unsigned>(text.substr(0, colon));
    const std::size_t rest = colon + (short_form ? 0 : 1);
    const auto minutes =
        rest < text.size() ? to_number<unsigned>(text.substr(rest)) : std::optional{0U};
    if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
    offset.hours = *hours;
    offset.minutes = *minutes;
    return offset;
}

/// The IANA name of an offset of whole hours. Its sign is reversed: Etc/GMT-2 is UTC+2.
std::string name_of(const Offset& offset) {
    if (offset.ambiguous || offset.minutes != 0) return {};
    const std::string name =
        offset.hours == 0 ? "UTC"
                          : fmt::format("Etc/GMT{}{}", offset.east ? '-' : '+', offset.hours);
    return find_time_zone(name) ? name : std::string{};
}

/// The existing name that differs only in case. "Z" means UTC.
std::string same_zone(std::string_view text) {
    const std::string wanted = lower(text);
    if (wanted == "z") return "UTC";
    if (wanted == "local") return "local";
    for (const std::string_view name : time_zone_names()) {
        if (lower(name) == wanted) return std::string{name};
    }
    return {};
}

/// "PST", "cest", "EST5EDT".
bool is_abbreviation(std::string_view text) {
    const bool loud =
        std::ranges::none_of(text, [](char c) { return c == '/' || (c >= 'a' && c <= 'z'); });
    const bool letters = std::ranges::all_of(text, is_letter);
    return (loud && text.size() <= loud_size_max) || (letters && text.size() <= quiet_size_max);
}

std::string hint_for_offset(const Offset& offset) {
    if (offset.ambiguous && offset.hours != 0) {
        return "; programs disagree on what the sign after GMT means: write a place such as "
               "`Europe/Berlin`";
    }
    const std::string name = name_of(offset);
    if (name == "UTC") return write(name);
    if (name.empty()) return "; an offset is not accepted: write a place such as `Europe/Berlin`";
    return write(name) +
           ", whose sign is reversed, or a place such as `Europe/Berlin` if its clocks change";
}

/// A hint for a last word that was meant as a zone, if the text before it is a valid calendar.
std::string hint_for_zone_in(std::string_view text) {
    const auto space = text.rfind(' ');
    if (space == std::string_view::npos) return {};
    const std::string_view word = text.substr(space + 1);
    const std::string before{text.substr(0, space)};
    if (!parse_calendar(before)) return {};
    const std::string lowered = lower(word);
    if (lowered == "am" || lowered == "pm") return "; hours go from 0 to 23: 3 pm is `15:00`";
    if (lowered == "local") return "; leave it out and write `timezone: local`";
    const auto offset = read_offset(word);
    const std::string zone = offset ? name_of(*offset) : same_zone(word);
    if (!zone.empty() && parse_calendar(before + " " + zone)) return write(before + " " + zone);
    return is_letter(word.front()) || offset ? zone_hint(word) : std::string{};
}

/// "sat..mon" as "sat..sun,mon..mon": in systemd, weekday ranges do not wrap around the week's end.
std::string with_whole_weeks(std::string_view text) {
    const std::string_view days = text.substr(0, text.find(' '));
    std::string result;
    for (const std::string_view part : split(days, ",")) {
        const auto dots = part.find("..");
        const auto joint = dots == std::string::npos ? part.find('-') : dots;
        const auto place_of = [&](std::string_view day) {
            const std::string short_day = lower(day.substr(0, 3));
            return std::ranges::find(weekday_words, short_day) - weekday_words.begin();
        };
        if (!result.empty()) result += ',';
        if (joint == std::string::npos) {
            result += part;
            continue;
        }
        const std::string_view first = part.substr(0, joint);
        const std::string_view last = part.substr(joint + (dots == std::string::npos ? 1 : 2));
        const bool backwards = place_of(first) > place_of(last);
        result += backwards ? fmt::format("{}..Sun,Mon..{}", first, last) : std::string{part};
    }
    return result + std::string{text.substr(days.size())};
}

/// "03:00 Sun" as "Sun 03:00".
std::string with_weekday_first(std::string_view text) {
    const auto space = text.rfind(' ');
    if (space == std::string_view::npos) return {};
    return fmt::format("{} {}", text.substr(space + 1), text.substr(0, space));
}

/// One part of a cron field, with the extensions of other programs rewritten for crontab(5).
std::string plain_part(std::size_t field, std::string_view part) {
    const bool is_day = field == day_field || field == weekday_field;
    if (is_day && part == "?") return "*";
    const auto slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    if (slash != std::string::npos && field != weekday_field && to_number<unsigned>(range)) {
        return fmt::format("{}-{}{}", range, cron_field_max.at(field), part.substr(slash));
    }
    const auto dash = part.find('-');
    if (slash != std::string::npos || dash == std::string::npos) return std::string{part};
    const std::string_view first = part.substr(0, dash);
    const std::string_view last = part.substr(dash + 1);
    if (field == weekday_field && (last == "sun" || last == "0")) return fmt::format("{}-7", first);
    return fmt::format("{}-{},{}-{}", first, cron_field_max.at(field), cron_field_min.at(field),
                       last);
}

/// Programs that accept `?` number Sunday 1, so a number does not say which weekday is meant.
bool counts_weekdays_from_sunday(const std::vector<std::string_view>& fields) {
    if (fields.size() != field_count) return false;
    const bool known = fields[day_field] == "?" || fields[weekday_field] == "?";
    return known && std::ranges::any_of(fields[weekday_field], is_digit);
}

/// The same schedule in the syntax of crontab(5); empty if it has none.
std::string plain_cron(const std::vector<std::string_view>& fields) {
    if (fields.size() != field_count) return {};
    if (counts_weekdays_from_sunday(fields)) return {};
    std::array<std::string, field_count> kept{"*", "*", "*", "*", "*"};
    for (std::size_t i = 0; i < field_count; ++i) {
        std::string field;
        for (const std::string_view part : split(fields[i], ",")) {
            auto alone = std::array<std::string, field_count>{"*", "*", "*", "*", "*"};
            alone[i] = part;
            const bool sound = parse_cron(fmt::format("{}", fmt::join(alone, " "))).has_value();
            if (!field.empty()) field += ',';
            field += sound ? std::string{part} : plain_part(i, part);
        }
        kept[i] = field;
    }
    const std::string cron = fmt::format("{}", fmt::join(kept, " "));
    return parse_cron(cron) ? cron : std::string{};
}

/// The last day of the month as a calendar event. crontab(5) cannot express it.
std::string last_day_of_month(std::vector<std::string_view> fields) {
    if (fields.size() != field_count || fields[day_field] != "l") return {};
    if (fields[weekday_field] != "*" && fields[weekday_field] != "?") return {};
    fields[day_field] = "1";
    const std::string cron = plain_cron(fields);
    const auto calendars =
        parse_cron(cron.empty() ? fmt::format("{}", fmt::join(fields, " ")) : cron);
    if (!calendars) return {};
    std::string text = calendars->front().text();
    const auto day = text.find("-01 ");
    if (day == std::string::npos) return {};
    return text.replace(day, 1, "~");
}

/// A hint for a word that cron accepts only with an @, where it may mean another day.
std::string hint_for_word(const std::string& word) {
    const auto calendar = parse_calendar(word);
    if (!calendar) return {};
    const auto cron = parse_cron("@" + word);
    if (!cron) return fmt::format("; write it under `calendar:`");
    if (cron->front() == *calendar) return write("@" + word);
    return fmt::format("; `@{0}` is {1}, and under `calendar:` `{0}` is {2}", word,
                       cron->front().text(), calendar->text());
}

std::string hint_for_every(std::string_view text) {
    constexpr std::string_view every = "@every ";
    if (lower(text.substr(0, every.size())) != every) return {};
    const std::string_view duration = text.substr(every.size());
    if (!parse_duration(duration)) return "; write a duration such as `30d` under `every:`";
    return fmt::format("; write `every: {}` instead", duration);
}

}  // namespace

std::string calendar_hint(std::string_view text) {
    constexpr std::string_view otherwise = "; write it as `Sat,Sun 02:00` or `*-*-01 03:30`";
    if (text.size() > calendar_bytes_max) return std::string{otherwise};
    if (const std::string every = hint_for_every(text); !every.empty()) return every;
    const std::string lowered = lower(text);
    const std::string plain = plain_cron(words_of(lowered));
    const auto cron = parse_cron(plain.empty() ? std::string{text} : plain);
    if (cron && cron->size() == 1) {
        return fmt::format("; this is a cron expression: as a calendar event, write `{}`",
                           cron->front().text());
    }
    if (cron) return "; this is a cron expression: write it under `cron:`";
    const std::string last = last_day_of_month(words_of(lowered));
    if (!last.empty() && parse_calendar(last)) return write(last);
    const std::string weeks = with_whole_weeks(text);
    if (weeks != text && parse_calendar(weeks)) return write(weeks);
    const std::string turned = with_weekday_first(text);
    if (!turned.empty() && parse_calendar(turned)) return write(turned);
    const std::string zone = hint_for_zone_in(text);
    return zone.empty() ? std::string{otherwise} : zone;
}

std::string cron_hint(std::string_view text) {
    constexpr std::string_view otherwise = "; write five fields such as `30 3 * * sat`";
    if (text.size() > calendar_bytes_max) return std::string{otherwise};
    const std::string lowered = lower(text);
    const std::vector<std::string_view> fields = words_of(lowered);
    if (const std::string every = hint_for_every(text); !every.empty()) return every;
    if (fields.size() == 1 && std::ranges::all_of(lowered, is_letter)) {
        if (const std::string word = hint_for_word(lowered); !word.empty()) return word;
    }
    if (parse_calendar(text)) return "; this is a calendar event: write it under `calendar:`";
    if (const std::string plain = plain_cron(fields); !plain.empty()) return write(plain);
    if (const std::string last = last_day_of_month(fields); !last.empty() && parse_calendar(last)) {
        return fmt::format(
            "; cron cannot express the last day of a month: write `calendar: \"{}\"`", last);
    }
    if (counts_weekdays_from_sunday(fields)) {
        return "; write `*` instead of `?`, and weekdays by name, because programs that accept `?` "
               "number them differently";
    }
    if (fields.size() > field_count) {
        return "; leave out the seconds, the year or the user, and write five fields such as `30 3 "
               "* * sat`";
    }
    return std::string{otherwise};
}

std::string zone_hint(std::string_view text) {
    if (const auto offset = read_offset(text)) return hint_for_offset(*offset);
    if (const std::string same = same_zone(text); !same.empty()) return write(same);
    if (is_abbreviation(text)) {
        return "; an abbreviation does not say which place it stands for: write the place, such as "
               "`Europe/Berlin`";
    }
    return did_you_mean(text, time_zone_names());
}

}  // namespace keyturn
