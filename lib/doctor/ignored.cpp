#include "doctor/ignored.hpp"

#include "base/visible_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

constexpr std::string_view head =
    "# Checks that `keyturnctl doctor` does not count as failed: ID DATE WHY.\n"
    "# Written by `keyturnctl doctor --ignore ID --why TEXT`. Delete a line to heed its check.\n";

/// Takes the text before the next blank off.
std::string_view take_word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

}  // namespace

std::vector<IgnoredCheck> parse_ignored(std::string_view text) {
    std::vector<IgnoredCheck> ignored;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) continue;
        IgnoredCheck one;
        one.id = take_word(line);
        one.since = take_word(line);
        one.why = line;
        if (!one.id.empty() && !one.since.empty()) ignored.push_back(std::move(one));
    }
    return ignored;
}

std::string ignored_text(const std::vector<IgnoredCheck>& ignored) {
    std::string text{head};
    for (const IgnoredCheck& one : ignored)
        text += fmt::format("{} {} {}\n", one.id, one.since, visible_text(one.why, ' '));
    return text;
}

}  // namespace keyturn
