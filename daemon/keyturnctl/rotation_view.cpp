#include "rotation_view.hpp"

#include "base/counted.hpp"
#include "model/unit_command.hpp"
#include "tunnel_words.hpp"
#include "unit_tree.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

constexpr std::size_t bar_columns_max = 40;
constexpr std::size_t bar_columns_min = 5;

/// How many log lines of a failed unit the suggested command shows.
constexpr int log_lines = 20;

/// Anyone who has the token can attach any number of connectors.
constexpr std::size_t evicted_shown_max = 5;

constexpr std::string_view decay_warning =
    "Cloudflare has the new secret: a unit with the old token cannot restore a lost connection.";

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(lines));
}

/// True if the token stays and units only move onto the token file or off it.
bool moves_units(const TunnelStatus& tunnel) {
    return tunnel.kind == "adopt" || tunnel.kind == "release";
}

/// "web: held in roll, batch 1 of 2"
std::string head_line(const TunnelStatus& tunnel, const TerminalStyle& style) {
    const bool runs = tunnel.state == "running";
    const std::string head = printable(tunnel.name) + ": ";
    const std::string state =
        runs ? phase_text(tunnel)
             : fmt::format("{} in {}", printable(tunnel.state), phase_text(tunnel));
    if (columns_of(head + state) > style.columns) return fitted(head + state, style.columns);
    const Paint paint(style.colour);
    return paint(TextStyle::strong, head) +
           paint(runs ? TextStyle::busy : style_of(tunnel.state), state);
}

/// "laptop lost, started 4m ago, rotation 3f2a"
std::string origin_line(const TunnelStatus& tunnel, WallTime now) {
    std::string line = printable(tunnel.trigger);
    const auto add = [&](const std::string& part) { line += (line.empty() ? "" : ", ") + part; };
    if (tunnel.started) add(fmt::format("started {} ago", age_text(*tunnel.started, now)));
    if (!tunnel.rotation_id.empty()) add("rotation " + printable(tunnel.rotation_id));
    return "  " + line;
}

/// What has been reached for good, and what keyturnd does now.
std::string work_text(const TunnelStatus& tunnel) {
    std::string text;
    if (has_token(tunnel)) {
        text = fmt::format("Cloudflare and the token file have the token {}. ",
                           printable(tunnel.fingerprint));
    }
    const std::string work = phase_work(tunnel);
    if (tunnel.state != "running" || work.empty()) return text;
    return text + "Now: " + work + ".";
}

std::vector<std::string> lockout_lines(const TunnelStatus& tunnel, const TerminalStyle& style) {
    std::vector<std::string> lines;
    const std::size_t shown = std::min(tunnel.evicted.size(), evicted_shown_max);
    for (std::size_t i = 0; i < shown; ++i) {
        append(lines, hanging("  dropped: " + printable(tunnel.evicted[i]), style.columns, 4));
    }
    const std::size_t more = tunnel.evicted.size() - shown;
    if (more > 0) lines.push_back("  dropped: " + counted(more, "more connector"));
    if (tunnel.outage) {
        append(lines, hanging("  No unit was connected for " + to_text(*tunnel.outage) + ".",
                              style.columns, 4));
    }
    if (tunnel.lockout) {
        append(lines,
               hanging("  Everybody else was locked out after " + to_text(*tunnel.lockout) + ".",
                       style.columns, 4));
    }
    return lines;
}

std::string deadline_line(const TunnelStatus& tunnel, WallTime now) {
    const Milliseconds left = *tunnel.step_ends - now;
    if (left <= Milliseconds{0}) return {};
    return fmt::format("  {}: waits at most {} more",
                       tunnel.phase == "finish" ? "finish" : "verifying",
                       to_text(Milliseconds{std::chrono::ceil<std::chrono::seconds>(left)}));
}

std::string bar_line(const TunnelStatus& tunnel, WallTime now, std::size_t columns) {
    const std::string head = fmt::format("  {}  ", tunnel.phase == "soak" ? "soak" : "settling");
    if (columns_of(head) >= columns) return fitted(head, columns);
    return head +
           progress_bar(*tunnel.step_started, *tunnel.step_ends, now, columns - columns_of(head));
}

}  // namespace

std::vector<std::string> remedy_lines(const TunnelStatus& tunnel, std::size_t columns,
                                      std::size_t indent) {
    const std::string name = printable(tunnel.name);
    const bool open = is_open(tunnel);
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
        add("To see its log:",
            fmt::format("{} -n {}", unit_command("journalctl -u", unit), log_lines));
    }
    if (open) add("When you have fixed it:", fmt::format("keyturnctl retry {} --follow", name));
    if (tunnel.can_revert) {
        add(moves_units(tunnel) ? "Or, once its units are set up as before:"
                                : "Or restore the old token:",
            fmt::format("keyturnctl revert {} --follow", name));
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

std::vector<std::string> wait_lines(const TunnelStatus& tunnel, WallTime now, std::size_t columns) {
    std::vector<std::string> lines;
    if (tunnel.state != "running" || !tunnel.step_started || !tunnel.step_ends) return lines;
    std::string wait = lasts_to_its_end(tunnel) ? bar_line(tunnel, now, columns)
                                                : fitted(deadline_line(tunnel, now), columns);
    if (!wait.empty()) lines.push_back(std::move(wait));
    if (tunnel.expected_end && *tunnel.expected_end > now) {
        append(lines, hanging(fmt::format("  Expected end: {} (in {}), if nothing more goes wrong",
                                          clock_text(*tunnel.expected_end),
                                          age_text(now, *tunnel.expected_end)),
                              columns, 4));
    }
    return lines;
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
        if (committed && !moves_units(tunnel))
            append(lines, wrapped(decay_warning, style.columns, 4));
    } else if (tunnel.state == "held") {
        const std::string word =
            tunnel.hold_reason.empty() ? "" : fmt::format(" ({})", printable(tunnel.hold_reason));
        lines.push_back(paint(TextStyle::bad, fmt::format("  Held{}:", word)));
        append(lines, wrapped(tunnel.reason, style.columns, 4));
        append(lines, remedy_lines(tunnel, style.columns, 4));
    }
    return lines;
}

std::vector<std::string> rotation_lines(const TunnelStatus& tunnel, WallTime now,
                                        const TerminalStyle& style, bool stale) {
    std::vector<std::string> lines{head_line(tunnel, style)};
    lines.push_back(fitted(origin_line(tunnel, now), style.columns));
    append(lines, wrapped(work_text(tunnel), style.columns, 2));
    append(lines, batch_lines(tunnel, style));
    append(lines, lockout_lines(tunnel, style));
    if (stale) return lines;
    append(lines, trouble_lines(tunnel, style));
    append(lines, wait_lines(tunnel, now, style.columns));
    return lines;
}

}  // namespace keyturn
