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

/// How many log lines of a failed unit the suggested command shows.
constexpr int log_lines = 20;

bool is_held(const TunnelStatus& tunnel, const UnitStatus& unit) {
    return tunnel.state == "held" && unit.name == tunnel.held_unit;
}

std::string step_of(const TunnelStatus& tunnel, const UnitStatus& unit) {
    const bool failed = is_held(tunnel, unit) && tunnel.hold_reason == "verification_failed";
    return failed ? "failed" : step_word(unit);
}

UnitColumns columns_for(const TunnelStatus& tunnel) {
    UnitColumns columns;
    for (const UnitStatus& unit : tunnel.units) {
        columns.name = std::max(columns.name, columns_of(printable(unit.name)));
        columns.step = std::max(columns.step, columns_of(step_of(tunnel, unit)));
        columns.connections =
            std::max(columns.connections, columns_of(connections_text(unit.connections)));
    }
    return columns;
}

std::string without_trailing_spaces(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

/// A waiting unit is normal, unlike a waiting tunnel, so it has no colour.
TextStyle unit_style(const std::string& step) {
    return step == "waiting" ? TextStyle::plain : style_of(step);
}

std::string unit_line(const TunnelStatus& tunnel, const UnitStatus& unit,
                      const UnitColumns& columns, const TerminalStyle& style) {
    const bool held = is_held(tunnel, unit);
    const std::string batch = unit.batch > 0 ? std::to_string(unit.batch) : "-";
    const std::string head = fmt::format("{} {:>3}  {}  ", held ? "!" : " ", batch,
                                         padded(printable(unit.name), columns.name));
    const std::string step = padded(step_of(tunnel, unit), columns.step);
    const TextStyle text_style = held ? TextStyle::bad : unit_style(unit.step);
    const std::string proof =
        unit.verified_by.empty() ? "" : fmt::format("  by {}", printable(unit.verified_by));
    const std::string tail = without_trailing_spaces(
        fmt::format("{}{}{}", columns.step > 0 ? "  " : "",
                    padded(connections_text(unit.connections), columns.connections), proof));
    // If the line is too narrow, leave out whole parts from the right, then cut the name.
    const std::size_t with_step = columns_of(head) + columns_of(step);
    if (with_step > style.columns) return fitted(head + step, style.columns);
    return without_trailing_spaces(head + Paint(style.colour)(text_style, step) +
                                   fitted(tail, style.columns - with_step));
}

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(lines));
}

constexpr std::string_view decay_warning =
    "Cloudflare has the new secret: a unit with the old token cannot restore a lost connection.";

}  // namespace

std::vector<std::string> remedy_lines(const TunnelStatus& tunnel, std::size_t columns,
                                      std::size_t indent) {
    const std::string name = printable(tunnel.name);
    const bool open = !tunnel.phase.empty();
    const std::string unit = open ? printable(tunnel.held_unit) : "keyturnd";
    std::vector<std::string> lines;
    const auto add = [&](std::string_view when, std::string command) {
        std::string line = fmt::format("{:{}}{} {}", "", indent, when, command);
        if (columns_of(line) <= columns) return lines.push_back(std::move(line));
        // People copy commands, so a command is never broken.
        append(lines, wrapped(when, columns, indent));
        lines.push_back(fmt::format("{:{}}{}", "", indent + 2, command));
    };
    if (!unit.empty()) {
        add("To see its log:", fmt::format("journalctl -u {} -n {}", unit, log_lines));
    }
    if (open) add("When you have fixed it:", fmt::format("keyturnctl retry {} --follow", name));
    if (tunnel.can_revert) {
        add("Or restore the old token:", fmt::format("keyturnctl revert {} --follow", name));
    }
    return lines;
}

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

std::vector<std::string> unit_lines(const TunnelStatus& tunnel, const TerminalStyle& style) {
    const UnitColumns columns = columns_for(tunnel);
    std::vector<std::string> lines;
    for (const UnitStatus& unit : tunnel.units) {
        lines.push_back(unit_line(tunnel, unit, columns, style));
    }
    return lines;
}

bool is_surge(const UnitStatus& unit) {
    return unit.name.starts_with("keyturn-surge@");
}

std::string step_word(const UnitStatus& unit) {
    if (is_surge(unit) && unit.step == "restarting") return "starting";
    if (is_surge(unit) && unit.step == "verified") return "serving";
    return printable(unit.step);
}

std::vector<std::string> trouble_lines(const TunnelStatus& tunnel, const TerminalStyle& style) {
    std::vector<std::string> lines;
    const Paint paint(style.colour);
    if (tunnel.state == "waiting") {
        lines.push_back(paint(TextStyle::warning, "  Waiting; continues automatically:"));
        append(lines, wrapped(tunnel.reason, style.columns, 4));
    } else if (tunnel.state == "paused") {
        lines.push_back(paint(
            TextStyle::warning,
            fmt::format("  Paused; to continue: keyturnctl resume {}", printable(tunnel.name))));
        const bool committed = tunnel.phase == "roll" || tunnel.phase == "soak";
        if (committed) append(lines, wrapped(decay_warning, style.columns, 4));
    } else if (tunnel.state == "held") {
        const std::string word =
            tunnel.hold_reason.empty() ? "" : fmt::format(" ({})", printable(tunnel.hold_reason));
        lines.push_back(paint(TextStyle::bad, fmt::format("  Held{}:", word)));
        append(lines, wrapped(tunnel.reason, style.columns, 4));
        append(lines, remedy_lines(tunnel, style.columns, 4));
    }
    return lines;
}

std::string connections_text(int connections) {
    if (connections < 0) return {};
    return fmt::format("{} connection{}", connections, connections == 1 ? "" : "s");
}

}  // namespace keyturn
