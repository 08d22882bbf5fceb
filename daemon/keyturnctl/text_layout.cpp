#include "text_layout.hpp"

#include "base/visible_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace keyturn {
namespace {

bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}

/// How many bytes of `text` fit into `columns`.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
    std::size_t seen = 0;
    for (std::size_t index = 0; index < text.size(); ++index) {
        if (continues_character(text[index])) continue;
        if (seen == columns) return index;
        ++seen;
    }
    return text.size();
}

bool is_command(std::string_view line) {
    constexpr std::array<std::string_view, 4> programs{"keyturnctl ", "journalctl ", "systemctl ",
                                                       "ssh "};
    return std::any_of(programs.begin(), programs.end(),
                       [&](std::string_view program) { return line.starts_with(program); });
}

/// Returns the end of the first word. A command is one word, so that it is not broken: people copy
/// it. It is in backticks, or lasts until the next punctuation.
std::size_t word_end(std::string_view line) {
    std::size_t from = 0;
    if (line.starts_with('`')) {
        const std::size_t close = line.find('`', 1);
        if (close != std::string_view::npos) from = close;
    } else if (is_command(line)) {
        from = std::min({line.find_first_of(",;()"), line.find(". "), line.size()});
        if (from < line.size() && line[from] == '(') --from;
    }
    return std::min(line.find(' ', from), line.size());
}

void wrap_line(std::string_view line, std::size_t columns, const std::string& indent,
               std::vector<std::string>& lines) {
    std::string current;
    while (!line.empty()) {
        const std::size_t end = word_end(line);
        const std::string_view word = line.substr(0, end);
        line.remove_prefix(std::min(end + 1, line.size()));
        if (word.empty()) continue;
        const std::size_t needed = columns_of(current) + 1 + columns_of(word);
        if (!current.empty() && indent.size() + needed > columns) {
            lines.push_back(indent + current);
            current.clear();
        }
        if (!current.empty()) current += ' ';
        current += word;
    }
    if (!current.empty()) lines.push_back(indent + current);
}

std::tm local_time(WallTime moment) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(moment);
    const auto since_epoch = static_cast<std::time_t>(seconds.time_since_epoch().count());
    std::tm local{};
    localtime_r(&since_epoch, &local);
    return local;
}

using TimeText = std::array<char, 64>;

}  // namespace

std::string printable(std::string_view text) {
    return visible_text(text);
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char byte) { return !continues_character(byte); }));
}

std::string padded(std::string_view text, std::size_t columns) {
    std::string cell(text);
    const std::size_t used = columns_of(text);
    if (used < columns) cell.append(columns - used, ' ');
    return cell;
}

std::string fitted(std::string_view text, std::size_t columns) {
    constexpr std::string_view mark = "...";
    if (columns_of(text) <= columns) return std::string(text);
    if (columns <= mark.size()) return std::string(text.substr(0, bytes_of(text, columns)));
    return std::string(text.substr(0, bytes_of(text, columns - mark.size()))).append(mark);
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
    std::vector<std::string> lines;
    const std::string space(indent, ' ');
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        wrap_line(printable(text.substr(0, end)), columns, space, lines);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::vector<std::string> hanging(std::string_view line, std::size_t columns, std::size_t indent) {
    std::vector<std::string> lines;
    std::string current;
    bool has_text = false;
    while (!line.empty()) {
        const std::size_t spaces = std::min(line.find_first_not_of(' '), line.size());
        const std::size_t end = spaces + word_end(line.substr(spaces));
        const std::string_view piece = line.substr(0, end);
        line.remove_prefix(end);
        if (has_text && columns_of(current) + columns_of(piece) > columns) {
            lines.push_back(std::exchange(current, std::string(indent, ' ')));
            current += piece.substr(spaces);
        } else {
            current += piece;
        }
        has_text = true;
    }
    lines.push_back(std::move(current));
    return lines;
}

std::string wrapped_text(std::string_view text, std::size_t columns) {
    std::string result;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string line = printable(text.substr(0, end));
        const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
        result += fmt::format("{}", fmt::join(hanging(line, columns, indent), "\n"));
        if (end == std::string_view::npos) break;
        result += '\n';
        text.remove_prefix(end + 1);
    }
    return result;
}

std::string Paint::operator()(TextStyle text_style, std::string_view text) const {
    static constexpr std::array<std::string_view, 7> codes{"", "1", "32", "1", "35", "31", "2"};
    const std::string_view code = codes.at(static_cast<std::size_t>(text_style));
    if (!colour_ || code.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string without_colour(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        const std::size_t escape = std::min(text.find('\x1b'), text.size());
        plain += text.substr(0, escape);
        text.remove_prefix(escape);
        const std::size_t end = text.find('m');
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return plain;
}

TextStyle style_of(std::string_view word) {
    if (word == "idle" || word == "verified" || word == "done" || word == "serving") {
        return TextStyle::good;
    }
    if (word == "running" || word == "restarting" || word == "starting") return TextStyle::busy;
    if (word == "waiting" || word == "paused" || word == "unknown") return TextStyle::warning;
    const bool down = word == "disconnected" || word == "stopped" || word == "failed";
    if (down || word == "held" || word == "refused") return TextStyle::bad;
    if (word == "listed") return TextStyle::faint;
    return TextStyle::plain;
}

InZone::InZone(const std::string& name) : changed_(!name.empty()) {
    if (!changed_) return;
    if (const char* before = std::getenv("TZ"); before != nullptr) before_ = before;
    ::setenv("TZ", (':' + name).c_str(), 1);
    ::tzset();
}

InZone::~InZone() {
    if (!changed_) return;
    if (before_) {
        ::setenv("TZ", before_->c_str(), 1);
    } else {
        ::unsetenv("TZ");
    }
    ::tzset();
}

std::string clock_text(WallTime moment) {
    const std::tm local = local_time(moment);
    TimeText text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &local)};
}

std::string date_text(WallTime moment) {
    const std::tm local = local_time(moment);
    TimeText text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M %Z", &local)};
}

}  // namespace keyturn
