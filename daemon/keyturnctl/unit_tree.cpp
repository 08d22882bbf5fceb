#include "unit_tree.hpp"

#include "tunnel_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace keyturn {
namespace {

/// Where units stand that belong to no batch.
constexpr int no_batch = 0;

/// A line of a unit. `cells` are aligned with those of the other units; the first is coloured.
struct UnitRow {
    std::string name;
    std::array<std::string, 3> cells;
    TextStyle style = TextStyle::plain;
    bool marked = false;
};

struct RowWidths {
    std::size_t name = 0;
    std::array<std::size_t, 3> cells{};

    void widen(const UnitRow& row) {
        name = std::max(name, columns_of(row.name));
        for (std::size_t i = 0; i < cells.size(); ++i) {
            cells[i] = std::max(cells[i], columns_of(row.cells[i]));
        }
    }
};

std::string without_trailing_spaces(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

/// If the line is too narrow, leaves out cells from the right, then cuts the name.
std::string line_of(const UnitRow& row, const RowWidths& widths, const TerminalStyle& style) {
    const std::string head =
        fmt::format("{}   {}", row.marked ? "!" : " ", padded(row.name, widths.name));
    const std::string first = padded(row.cells[0], widths.cells[0]);
    const std::size_t used = columns_of(head) + 2 + columns_of(first);
    if (used > style.columns) return fitted(head + "  " + first, style.columns);
    std::string tail;
    for (std::size_t i = 1; i < row.cells.size(); ++i) {
        if (widths.cells[i] > 0) tail += "  " + padded(row.cells[i], widths.cells[i]);
    }
    tail = fitted(without_trailing_spaces(tail), style.columns - used);
    return without_trailing_spaces(head + "  " + Paint(style.colour)(row.style, first) + tail);
}

bool is_held(const TunnelStatus& tunnel, const UnitStatus& unit) {
    return tunnel.state == "held" && unit.name == tunnel.held_unit;
}

std::string step_of(const TunnelStatus& tunnel, const UnitStatus& unit) {
    const bool failed = is_held(tunnel, unit) && tunnel.hold_reason == "verification_failed";
    return failed ? "failed" : step_word(unit);
}

/// A waiting unit is normal, unlike a waiting tunnel, so it has no colour.
UnitRow rotating_row(const TunnelStatus& tunnel, const UnitStatus& unit) {
    const bool held = is_held(tunnel, unit);
    const TextStyle style = unit.step == "waiting" ? TextStyle::plain : style_of(unit.step);
    const std::string proof = unit.verified_by.empty() ? "" : "by " + printable(unit.verified_by);
    return {printable(unit.name),
            {step_of(tunnel, unit), service_text(unit, health_of(tunnel, unit)), proof},
            held ? TextStyle::bad : style,
            held};
}

UnitRow idle_row(const TunnelStatus& tunnel, const UnitStatus& unit) {
    const UnitHealth health = health_of(tunnel, unit);
    const std::string word = printable(health.health);
    const std::string connections =
        word == service_text(unit, health) ? "" : service_text(unit, health);
    return {printable(unit.name), {word, connections, token_words(health)}, style_of(word)};
}

/// "done", "restarting", "waiting": how far a batch is.
std::string batch_word(const TunnelStatus& tunnel, int batch) {
    std::size_t count = 0;
    std::size_t verified = 0;
    bool begun = false;
    for (const UnitStatus& unit : tunnel.units) {
        if (unit.batch != batch) continue;
        ++count;
        if (unit.step == "verified") ++verified;
        begun = begun || unit.step == "restarting" || unit.step == "verified";
    }
    if (verified == count) return "done";
    if (!begun) return "waiting";
    const bool one = count == 1;
    return one ? "restarting" : fmt::format("restarting, {} of {} done", verified, count);
}

std::string batch_head(const TunnelStatus& tunnel, int batch, const TerminalStyle& style) {
    if (batch == no_batch) return "  no batch";
    const std::string word = batch_word(tunnel, batch);
    const TextStyle text_style = word == "done"      ? TextStyle::good
                                 : word == "waiting" ? TextStyle::plain
                                                     : TextStyle::busy;
    return fmt::format("  batch {}  {}", batch, Paint(style.colour)(text_style, word));
}

}  // namespace

std::vector<std::string> batch_lines(const TunnelStatus& tunnel, const TerminalStyle& style) {
    std::set<int> batches;
    RowWidths widths;
    for (const UnitStatus& unit : tunnel.units) {
        batches.insert(std::max(unit.batch, no_batch));
        widths.widen(rotating_row(tunnel, unit));
    }
    std::vector<int> order(batches.begin(), batches.end());
    // Those without a batch, which are the lowest number, come last.
    if (batches.contains(no_batch)) std::rotate(order.begin(), order.begin() + 1, order.end());
    std::vector<std::string> lines;
    for (const int batch : order) {
        lines.push_back(batch_head(tunnel, batch, style));
        for (const UnitStatus& unit : tunnel.units) {
            if (std::max(unit.batch, no_batch) != batch) continue;
            lines.push_back(line_of(rotating_row(tunnel, unit), widths, style));
        }
    }
    return lines;
}

std::vector<std::string> idle_unit_lines(const TunnelStatus& tunnel, const TerminalStyle& style) {
    RowWidths widths;
    for (const UnitStatus& unit : tunnel.units) widths.widen(idle_row(tunnel, unit));
    std::vector<std::string> lines;
    for (const UnitStatus& unit : tunnel.units) {
        lines.push_back(line_of(idle_row(tunnel, unit), widths, style));
    }
    return lines;
}

}  // namespace keyturn
