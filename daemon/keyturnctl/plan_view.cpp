#include "plan_view.hpp"

#include "base/counted.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {
namespace {

/// A time line is useless below the minimum, and gets no better above the maximum.
constexpr std::size_t line_columns_min = 20;
constexpr std::size_t line_columns_max = 100;
constexpr std::size_t name_columns_max = 24;
/// The sizes of the parts of "2026-03-01 02:42 CET".
constexpr std::size_t date_size = 10;
constexpr std::size_t minutes_size = 5;
constexpr std::size_t minute_size = date_size + 1 + minutes_size;

/// "2 units in 2 batches (1 + 1)".
std::string steps_of(const TunnelPlan& plan) {
    std::string text = counted(plan.units.size(), "unit");
    if (plan.batches.size() > 1) {
        text +=
            fmt::format(" in {} batches ({})", plan.batches.size(), fmt::join(plan.batches, " + "));
    }
    return text;
}

std::string reason_of(const PlannedStart& start) {
    const std::string due = date_text(start.due);
    if (start.cause == "window") return fmt::format("due {}, waits for a window", due);
    const std::string freeze = start.freeze.empty() ? "a freeze" : printable(start.freeze);
    if (start.cause == "freeze") return fmt::format("due {}, postponed by {}", due, freeze);
    if (start.cause == "max_age") {
        return "max_age: too old to wait for a window" +
               (start.freeze.empty() ? "" : ", postponed by " + freeze);
    }
    if (start.cause == "never") {
        return fmt::format(
            "due {}, but no window is long enough: use longer windows, a shorter soak, "
            "or max_age",
            due);
    }
    return start.start && *start.start > start.due ? fmt::format("due {}", due) : "due";
}

/// " to 02:42", with the date if it ends on another day.
std::string end_of(const PlannedStart& start) {
    if (!start.end) return {};
    const std::string end = date_text(*start.end);
    const bool same_day = end.substr(0, date_size) == date_text(*start.start).substr(0, date_size);
    return " to " + end.substr(same_day ? date_size + 1 : 0, same_day ? minutes_size : minute_size);
}

std::string when(const PlannedStart& start, WallTime now) {
    if (!start.start) return "never";
    const std::string relative = *start.start > now ? "in " + to_text(*start.start - now) : "now";
    return fmt::format("{:<9} {}{}", relative, date_text(*start.start), end_of(start));
}

std::string lines_of(const TunnelPlan& plan, WallTime now, const TerminalStyle& style) {
    const InZone zone(plan.timezone);
    std::string text = fmt::format("{}: {}\n", printable(plan.name), steps_of(plan));
    for (const std::string& line :
         wrapped(fmt::format("{}", fmt::join(plan.units, ", ")), style.columns, 4)) {
        text += Paint(style.colour)(TextStyle::faint, line) + '\n';
    }
    if (plan.paused) text += "  paused: no rotation starts until keyturnctl resume\n";
    if (plan.starts.empty()) text += "  on demand only\n";
    for (const PlannedStart& start : plan.starts) {
        const TextStyle text_style = start.start ? TextStyle::plain : TextStyle::bad;
        const std::string line = fmt::format("  {}  {}", when(start, now), reason_of(start));
        const bool fits = columns_of(line) <= style.columns;
        for (const std::string& part : fits ? std::vector{line} : wrapped(line, style.columns, 2)) {
            text += Paint(style.colour)(text_style, part) + '\n';
        }
    }
    return text;
}

/// The period that the time line shows.
struct Scale {
    WallTime begins;
    WallTime ends;
    std::size_t columns = 0;

    [[nodiscard]] std::size_t column_of(WallTime moment) const {
        const auto whole = static_cast<double>((ends - begins).count());
        const auto part = static_cast<double>((moment - begins).count());
        const double share = std::clamp(part / whole, 0.0, 1.0);
        return std::min(columns - 1,
                        static_cast<std::size_t>(share * static_cast<double>(columns)));
    }
};

WallTime last_end(const std::vector<TunnelPlan>& plans, WallTime now) {
    WallTime last = now;
    for (const TunnelPlan& plan : plans) {
        for (const PlannedStart& start : plan.starts)
            last = std::max(last, start.end.value_or(last));
    }
    return last;
}

std::string row_of(const TunnelPlan& plan, const Scale& scale) {
    std::string row(scale.columns, '-');
    for (const PlannedStart& start : plan.starts) {
        if (!start.start) continue;
        const std::size_t first = scale.column_of(*start.start);
        const std::size_t last = scale.column_of(start.end.value_or(*start.start));
        for (std::size_t column = first; column <= last; ++column) row[column] = '#';
    }
    return row;
}

std::string time_line(const std::vector<TunnelPlan>& plans, WallTime now,
                      const TerminalStyle& style) {
    std::size_t names = 0;
    for (const TunnelPlan& plan : plans) names = std::max(names, columns_of(printable(plan.name)));
    names = std::min(names, name_columns_max);
    const WallTime ends = last_end(plans, now);
    if (ends <= now || style.columns < names + 2 + line_columns_min) return {};
    const Scale scale{now, ends, std::min(style.columns - names - 2, line_columns_max)};

    const InZone zone(plans.front().timezone);
    const std::string until = date_text(ends);
    std::string text = fmt::format("\n{}  now{}\n", std::string(names, ' '),
                                   fmt::format("{:>{}}", until, scale.columns - 3));
    for (const TunnelPlan& plan : plans) {
        if (plan.starts.empty()) continue;
        text += fmt::format("{}  {}\n", padded(fitted(printable(plan.name), names), names),
                            row_of(plan, scale));
    }
    return text;
}

}  // namespace

std::string plan_view(const std::vector<TunnelPlan>& plans, WallTime now,
                      const TerminalStyle& style) {
    if (plans.empty()) return "The policy has no tunnels.\n";
    std::string text;
    for (const TunnelPlan& plan : plans) {
        if (!text.empty()) text += '\n';
        text += lines_of(plan, now, style);
    }
    return text + time_line(plans, now, style);
}

}  // namespace keyturn
