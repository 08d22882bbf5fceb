#include "status_table.hpp"

#include "idle_view.hpp"
#include "rotation_view.hpp"
#include "tunnel_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {
namespace {

constexpr std::size_t cell_count = 7;
constexpr std::size_t gap = 2;
constexpr std::size_t state_cell = 1;
/// If the terminal is too narrow, names are cut to at least this width; then lines may be longer
/// than the terminal.
constexpr std::size_t name_columns_min = 8;
/// From this width on, times also have a date.
constexpr std::size_t wide_columns = 110;

using Row = std::array<std::string, cell_count>;
using Widths = std::array<std::size_t, cell_count>;

std::string last_cell(const TunnelStatus& tunnel, WallTime now, bool wide) {
    if (!tunnel.last_done) return "unknown";
    const std::string ago = age_text(*tunnel.last_done, now) + " ago";
    return wide ? fmt::format("{} ({})", date_text(*tunnel.last_done), ago) : ago;
}

std::string due_cell(const TunnelStatus& tunnel, WallTime now, bool wide) {
    std::string text = next_text(tunnel, now);
    if (!tunnel.due) return text;
    const bool waits = tunnel.due_cause == "window" || tunnel.due_cause == "freeze";
    if (waits) text += fmt::format(" ({})", tunnel.due_cause);
    return wide ? fmt::format("{} ({})", date_text(*tunnel.due), text) : text;
}

std::string batch_text(const TunnelStatus& tunnel) {
    if (tunnel.batch_count == 0) return "-";
    return fmt::format("{}/{}", tunnel.batch, tunnel.batch_count);
}

Row row_of(const TunnelStatus& tunnel, WallTime now, bool wide) {
    const std::string phase = printable(tunnel.phase);
    return {printable(tunnel.name),     printable(tunnel.state), phase.empty() ? "-" : phase,
            batch_text(tunnel),         serving_text(tunnel),    last_cell(tunnel, now, wide),
            due_cell(tunnel, now, wide)};
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

/// What the table has no room for: the open rotation, the facts, and what needs attention.
std::string below(const TunnelStatus& tunnel, WallTime now, const TerminalStyle& style,
                  bool detail) {
    if (!is_open(tunnel)) {
        const std::string text =
            joined(detail ? idle_lines(tunnel, now, style) : attention_lines(tunnel, style));
        return text.empty() ? "" : '\n' + printable(tunnel.name) + '\n' + text;
    }
    std::string text = '\n' + joined(rotation_lines(tunnel, now, style));
    if (detail) text += '\n' + joined(fact_lines(tunnel, now, style));
    return text + joined(attention_lines(tunnel, style));
}

}  // namespace

std::string status_table(const std::vector<TunnelStatus>& tunnels, WallTime now,
                         const TerminalStyle& style, bool detail) {
    if (tunnels.empty()) return "The policy has no tunnels.\n";
    const bool wide = style.columns >= wide_columns;
    std::vector<Row> rows{{"TUNNEL", "STATE", "PHASE", "BATCH", "UNITS", "LAST", "DUE"}};
    for (const TunnelStatus& tunnel : tunnels) rows.push_back(row_of(tunnel, now, wide));
    const Widths widths = widths_of(rows, style.columns);
    const Paint paint(style.colour);
    std::string text = line_of(rows.front(), widths, Paint(false));
    for (std::size_t index = 0; index < tunnels.size(); ++index) {
        text += line_of(rows[index + 1], widths, paint);
    }
    const bool alone = tunnels.size() == 1;
    for (const TunnelStatus& tunnel : tunnels) text += below(tunnel, now, style, detail || alone);
    return text;
}

}  // namespace keyturn
