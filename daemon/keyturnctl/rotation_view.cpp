#include "rotation_view.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

constexpr std::size_t bar_columns_max = 40;
constexpr std::size_t bar_columns_min = 5;

struct UnitColumns {
    std::size_t name = 0;
    std::size_t step = 0;
    std::size_t connections = 0;
};

UnitColumns columns_for(const std::vector<UnitStatus>& units) {
    UnitColumns columns;
    for (const UnitStatus& unit : units) {
        columns.name = std::max(columns.name, columns_of(printable(unit.name)));
        columns.step = std::max(columns.step, columns_of(printable(unit.step)));
        columns.connections =
            std::max(columns.connections, columns_of(connections_text(unit.connections)));
    }
    return columns;
}

std::string without_trailing_spaces(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

/// A waiting unit is nothing to worry about, unlike a waiting tunnel.
Tone unit_tone(const std::string& step) {
    return step == "waiting" ? Tone::plain : tone_of(step);
}

std::string unit_line(const UnitStatus& unit, const UnitColumns& columns, const Look& look) {
    const std::string batch = unit.batch > 0 ? std::to_string(unit.batch) : "-";
    const std::string head =
        fmt::format("  {:>3}  {}  ", batch, padded(printable(unit.name), columns.name));
    const std::string step = padded(printable(unit.step), columns.step);
    const std::string proof =
        unit.verified_by.empty() ? "" : fmt::format("  by {}", printable(unit.verified_by));
    const std::string tail = without_trailing_spaces(
        fmt::format("{}{}{}", columns.step > 0 ? "  " : "",
                    padded(connections_text(unit.connections), columns.connections), proof));
    // Too narrow for everything: whole parts go from the right, and then the name is cut.
    const std::size_t with_step = columns_of(head) + columns_of(step);
    if (with_step > look.columns) return fitted(head + step, look.columns);
    return without_trailing_spaces(head + Paint(look.colour)(unit_tone(unit.step), step) +
                                   fitted(tail, look.columns - with_step));
}

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(lines));
}

}  // namespace

std::string progress_bar(WallTime started, WallTime ends, WallTime now, std::size_t columns) {
    const Milliseconds whole = std::max(ends - started, Milliseconds{1});
    const Milliseconds past = std::clamp(now - started, Milliseconds{0}, whole);
    const auto percent = static_cast<std::size_t>(past.count() * 100 / whole.count());
    const Milliseconds left = std::chrono::ceil<std::chrono::seconds>(whole - past);
    const std::string label =
        fmt::format(" {:>3}%  {}", percent,
                    left > Milliseconds{0} ? to_text(left) + " left" : std::string("any moment"));
    const std::size_t frame = columns_of(label) + 2;
    if (columns < frame + bar_columns_min) return fitted(label.substr(1), columns);
    const std::size_t bar = std::min(columns - frame, bar_columns_max);
    const std::size_t full = bar * percent / 100;
    return fmt::format("[{}{}]{}", std::string(full, '#'), std::string(bar - full, '-'), label);
}

std::string step_line(const TunnelStatus& tunnel, WallTime now, std::size_t columns) {
    if (tunnel.state != "running" || !tunnel.step_started || !tunnel.step_ends) return {};
    const std::string head = fmt::format("  {}  ", printable(tunnel.phase));
    if (columns_of(head) >= columns) return fitted(head, columns);
    return head +
           progress_bar(*tunnel.step_started, *tunnel.step_ends, now, columns - columns_of(head));
}

std::vector<std::string> unit_lines(const std::vector<UnitStatus>& units, const Look& look) {
    const UnitColumns columns = columns_for(units);
    std::vector<std::string> lines;
    for (const UnitStatus& unit : units) lines.push_back(unit_line(unit, columns, look));
    return lines;
}

std::vector<std::string> trouble_lines(const TunnelStatus& tunnel, const Look& look) {
    std::vector<std::string> lines;
    const Paint paint(look.colour);
    if (tunnel.state == "waiting") {
        lines.push_back(paint(Tone::warning, "  Waiting; goes on by itself:"));
        append(lines, wrapped(tunnel.reason, look.columns, 4));
    } else if (tunnel.state == "paused") {
        lines.push_back(paint(Tone::warning, fmt::format("  Paused; keyturnctl resume {} ends that",
                                                         printable(tunnel.name))));
    } else if (tunnel.state == "held") {
        const std::string word =
            tunnel.hold_reason.empty() ? "" : fmt::format(" ({})", printable(tunnel.hold_reason));
        lines.push_back(paint(Tone::bad, fmt::format("  Held{}:", word)));
        append(lines, wrapped(tunnel.reason, look.columns, 4));
        append(lines, wrapped(fmt::format("When that is mended: keyturnctl retry {} --follow",
                                          printable(tunnel.name)),
                              look.columns, 4));
    }
    return lines;
}

std::string connections_text(int connections) {
    if (connections < 0) return {};
    return fmt::format("{} connection{}", connections, connections == 1 ? "" : "s");
}

}  // namespace keyturn
