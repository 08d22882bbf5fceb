#include "live_area.hpp"

#include "base/counted.hpp"
#include "text_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace keyturn {

std::string LiveArea::redraw(const std::vector<std::string>& lines,
                             const std::vector<std::string>& block, std::size_t columns) {
    if (lines.empty() && block == drawn_ && columns == columns_) return {};
    const std::size_t rows = rows_drawn(columns);
    std::string text = rows > 0 ? fmt::format("\x1b[{}A\r", rows) : "";
    // Line by line: some terminals keep a screen that is cleared as a whole, once a second.
    const std::string_view erase = rows > 0 ? "\x1b[2K" : "";
    for (const auto* part : {&lines, &block}) {
        for (const std::string& line : *part) text += fmt::format("{}{}\n", erase, line);
    }
    if (rows > lines.size() + block.size()) text += "\x1b[J";
    drawn_ = block;
    columns_ = columns;
    return text;
}

/// A terminal that has become narrower has wrapped the lines that were drawn.
std::size_t LiveArea::rows_drawn(std::size_t columns) const {
    std::size_t rows = 0;
    for (const std::string& line : drawn_) {
        const std::size_t width = std::max<std::size_t>(columns_of(without_colour(line)), 1);
        rows += (width + columns - 1) / columns;
    }
    return rows;
}

std::vector<std::string> fitted_rows(std::vector<std::string> block, std::size_t rows) {
    constexpr std::size_t kept = 2;  // The line that says so, and that of the cursor.
    if (rows <= kept || block.size() < rows) return block;
    const std::size_t missing = block.size() - (rows - kept);
    block.resize(rows - kept);
    block.push_back(
        fmt::format("... {}: enlarge the window, or name a tunnel", counted(missing, "more line")));
    return block;
}

}  // namespace keyturn
