#include "status_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {
namespace {

constexpr std::size_t cell_count = 6;
constexpr std::size_t gap = 2;
constexpr std::size_t state_cell = 1;
/// If the terminal is too narrow, names are cut to at least this width; then lines may be longer
/// than the terminal.
constexpr std::size_t name_columns_min = 8;
/// From this width on, times also have a date.
constexpr std::size_t wide_columns = 110;

using Row = std::array<std::string, cell_count>;
using Widths = std::array<std::size_t, cell_count>;

std::string last_text(const TunnelStatus& tunnel, WallTime now, bool wide) {
    if (!tunnel.last_done) return "unknown";
    const std::string ago = to_text(std::max(now - *tunnel.last_done, Milliseconds{0})) + " ago";
    return wide ? fmt::format("{} ({})", date_text(*tunnel.last_done), ago) : ago;
}

std::string due_text(const TunnelStatus& tunnel, WallTime now, bool wide) {
    if (!tunnel.due) return tunnel.due_cause == "never" ? "no window fits" : "on demand";
    const Milliseconds left = *tunnel.due - now;
    std::string relative =
        left > Milliseconds{0} ? "in " + to_text(left) : "since " + to_text(-left);
    const bool waits = tunnel.due_cause == "window" || tunnel.due_cause == "freeze";
    if (waits) relative += fmt::format(" ({})", tunnel.due_cause);
    return wide ? fmt::format("{} ({})", date_text(*tunnel.due), relative) : relative;
}

std::string batch_text(const TunnelStatus& tunnel) {
    if (tunnel.batch_count == 0) return "-";
    return fmt::format("{}/{}", tunnel.batch, tunnel.batch_count);
}

Row row_of(const TunnelStatus& tunnel, WallTime now, bool wide) {
    const std::string phase = printable(tunnel.phase);
    return {printable(tunnel.name), printable(tunnel.state),      phase.empty() ? "-" : phase,
            batch_text(tunnel),     last_text(tunnel, now, wide), due_text(tunnel, now, wide)};
}

Widths widths_of(const std::vector<Row>& rows, std::size_t columns) {
    Widths widths{};
    std::size_t sum = gap * (cell_count - 1);
    for (std::size_t cell = 0; cell < cell_count; ++cell) {
        for (const Row& row : rows) widths[cell] = std::max(widths[cell], columns_of(row[cell]));
        sum += widths[cell];
    }
    if (sum > columns && widths[0] > name_columns_min) {
        widths[0] -= std::min(sum - columns, widths[0] - name_columns_min);
    }
    return widths;
}

std::string line_of(const Row& row, const Widths& widths, const Paint& paint) {
    std::string line;
    for (std::size_t cell = 0; cell < cell_count; ++cell) {
        const bool last = cell + 1 == cell_count;
        const std::string text = fitted(row[cell], widths[cell]);
        const std::string filled = last ? text : padded(text, widths[cell] + gap);
        line += cell == state_cell ? paint(style_of(row[cell]), filled) : filled;
    }
    return line + '\n';
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return text;
}

std::string field(std::string_view name, std::string_view value) {
    if (value.empty()) return {};
    return fmt::format("  {:<12} {}\n", name, printable(value));
}

std::string identifiers(const TunnelStatus& tunnel) {
    const bool open = !tunnel.phase.empty();
    return field("Tunnel", tunnel.tunnel) + field("Fingerprint", tunnel.fingerprint) +
           field(open ? "Rotation" : "Last", tunnel.rotation_id) +
           field("Trigger", tunnel.trigger) +
           field("Started", tunnel.started ? date_text(*tunnel.started) : "") +
           field("Last done", tunnel.last_done ? date_text(*tunnel.last_done) : "") +
           field("Due", tunnel.due ? date_text(*tunnel.due) : "") +
           field("Outcome", tunnel.last_outcome);
}

/// How the last rotation ended: the `reason` of an idle tunnel.
std::string ending(const TunnelStatus& tunnel, const TerminalStyle& style, bool detail) {
    const bool at_rest =
        tunnel.phase.empty() && (tunnel.state == "idle" || tunnel.state == "paused");
    const bool well = tunnel.last_outcome.empty() || tunnel.last_outcome == "done";
    if (!at_rest || tunnel.reason.empty() || (well && !detail)) return {};
    const std::string head =
        well ? std::string("  Last rotation:")
             : Paint(style.colour)(TextStyle::bad, fmt::format("  Last rotation was {}:",
                                                               printable(tunnel.last_outcome)));
    return head + '\n' + joined(wrapped(tunnel.reason, style.columns, 4));
}

std::string rotation_line(const TunnelStatus& tunnel, WallTime now) {
    std::string line =
        fmt::format("  Rotation {}",
                    tunnel.rotation_id.empty() ? "(no id yet)" : printable(tunnel.rotation_id));
    if (!tunnel.trigger.empty()) line += fmt::format(" ({})", printable(tunnel.trigger));
    if (tunnel.started) {
        line += fmt::format(", started {} ago",
                            to_text(std::max(now - *tunnel.started, Milliseconds{0})));
    }
    return line;
}

std::string list_of(const std::vector<std::string>& sentences, std::string head,
                    std::size_t columns) {
    if (sentences.empty()) return {};
    std::string text = std::move(head) + '\n';
    for (const std::string& sentence : sentences) {
        text += joined(wrapped("- " + sentence, columns, 4));
    }
    return text;
}

std::string findings_of(const TunnelStatus& tunnel, const TerminalStyle& style) {
    std::string head = Paint(style.colour)(TextStyle::warning, "  Findings:");
    return list_of(tunnel.findings, std::move(head), style.columns) +
           list_of(tunnel.notes, "  Notes:", style.columns);
}

std::string below(const TunnelStatus& tunnel, WallTime now, const TerminalStyle& style,
                  bool detail) {
    const bool open = !tunnel.phase.empty();
    std::string text = joined(trouble_lines(tunnel, style)) + findings_of(tunnel, style);
    if (open && !detail) text += fitted(rotation_line(tunnel, now), style.columns) + '\n';
    if (detail) text += identifiers(tunnel);
    text += ending(tunnel, style, detail);
    const std::string step = step_line(tunnel, now, style.columns);
    if (!step.empty()) text += step + '\n';
    if (open || detail) text += joined(unit_lines(tunnel, style));
    return text;
}

}  // namespace

std::string status_table(const std::vector<TunnelStatus>& tunnels, WallTime now,
                         const TerminalStyle& style, bool detail) {
    if (tunnels.empty()) return "The policy has no tunnels.\n";
    const bool wide = style.columns >= wide_columns;
    std::vector<Row> rows{{"TUNNEL", "STATE", "PHASE", "BATCH", "LAST", "DUE"}};
    for (const TunnelStatus& tunnel : tunnels) rows.push_back(row_of(tunnel, now, wide));
    const Widths widths = widths_of(rows, style.columns);
    const Paint paint(style.colour);
    std::string text = line_of(rows.front(), widths, Paint(false));
    for (std::size_t index = 0; index < tunnels.size(); ++index) {
        text += line_of(rows[index + 1], widths, paint);
    }
    for (const TunnelStatus& tunnel : tunnels) {
        const std::string more = below(tunnel, now, style, detail);
        if (!more.empty()) text += fmt::format("\n{}\n{}", printable(tunnel.name), more);
    }
    return text;
}

}  // namespace keyturn
