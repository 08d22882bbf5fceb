#include "terminal.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace keyturn {
namespace {

/// The width of lines in a file or pipe, and of a terminal that does not report its size.
constexpr std::size_t columns_without_terminal = 160;
constexpr std::size_t columns_unknown = 80;
constexpr std::size_t columns_min = 20;
/// Where the text of an event begins, behind its time.
constexpr std::size_t event_indent = 10;

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
    return {std::max(columns, columns_min), colour_, size.ws_row};
}

void Terminal::show(const std::vector<std::string>& lines, const std::vector<std::string>& block) {
    const TerminalStyle now = style();
    std::vector<std::string> wrapped_lines;
    for (const std::string& line : lines) {
        if (!interactive_) {
            print(line + '\n');
            continue;
        }
        for (std::string& part : hanging(line, now.columns, event_indent)) {
            wrapped_lines.push_back(std::move(part));
        }
    }
    if (!interactive_) return;
    print(live_area_.redraw(wrapped_lines, fitted_rows(block, now.rows), now.columns));
}

void print(const std::string& text) {
    if (text.empty()) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void say_text(const std::string& text, std::FILE* stream) {
    const Terminal terminal;
    const bool wraps = terminal.interactive() && ::isatty(::fileno(stream)) == 1;
    fmt::print(stream, "{}", wraps ? wrapped_text(text, terminal.style().columns) : text);
}

}  // namespace keyturn
