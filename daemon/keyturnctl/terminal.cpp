#include "terminal.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace keyturn {
namespace {

/// The width of lines in a file or pipe, and of a terminal that does not report its size.
constexpr std::size_t columns_without_terminal = 160;
constexpr std::size_t columns_unknown = 80;
constexpr std::size_t columns_min = 20;

bool set_and_not_empty(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

/// A terminal that can move its cursor.
bool is_capable_terminal() {
    const char* kind = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

Terminal::Terminal()
    : interactive_(is_capable_terminal()),
      colour_(interactive_ && !set_and_not_empty("NO_COLOR")) {}

TerminalStyle Terminal::style() const {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {columns_without_terminal, colour_};
    const std::size_t columns = size.ws_col > 0 ? size.ws_col : columns_unknown;
    return {std::max(columns, columns_min), colour_};
}

void Terminal::show(const std::vector<std::string>& lines, const std::vector<std::string>& block) {
    if (interactive_) return print(live_area_.redraw(lines, block));
    for (const std::string& line : lines) print(line + '\n');
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

}  // namespace keyturn
