#include "live_area.hpp"

#include <fmt/format.h>

namespace keyturn {

std::string LiveArea::redraw(const std::vector<std::string>& lines,
                             const std::vector<std::string>& block) {
    std::string text;
    if (drawn_lines_ > 0) text += fmt::format("\x1b[{}A\r\x1b[J", drawn_lines_);
    for (const std::string& line : lines) text += line + '\n';
    for (const std::string& line : block) text += line + '\n';
    drawn_lines_ = block.size();
    return text;
}

}  // namespace keyturn
