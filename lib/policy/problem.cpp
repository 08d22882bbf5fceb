#include "base/counted.hpp"
#include "policy/problem_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {
namespace {

constexpr std::size_t shown_width_max = 100;
constexpr std::string_view cut_mark = "...";

/// The byte offset of character number `column`, which counts from 1.
std::size_t byte_at(std::string_view text, std::size_t column) {
    std::size_t seen = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (whole_characters(text, at) == at && ++seen == column) return at;
    }
    return text.size();
}

/// Blanks that put a caret below the end of `before`. Tabs stay tabs, so that both lines align on
/// every terminal.
std::string blank_like(std::string_view before) {
    std::string blank;
    for (std::size_t at = 0; at < before.size(); ++at) {
        if (whole_characters(before, at) == at) blank += before[at] == '\t' ? '\t' : ' ';
    }
    return blank;
}

/// The line and its caret; of a long line, only the part around the caret.
std::string pointed_at(std::string_view line, int column) {
    const std::size_t caret = byte_at(line, static_cast<std::size_t>(std::max(column, 1)));
    std::size_t begin = 0;
    if (line.size() > shown_width_max && caret > shown_width_max / 2) {
        begin = whole_characters(line, caret - shown_width_max / 2);
    }
    const std::size_t end = whole_characters(line, begin + shown_width_max);
    const std::string front = begin > 0 ? std::string{cut_mark} : std::string{};
    const std::string_view back = end < line.size() ? cut_mark : std::string_view{};
    return fmt::format("\n    {}{}{}\n    {}^", front, line.substr(begin, end - begin), back,
                       blank_like(front + std::string{line.substr(begin, caret - begin)}));
}

}  // namespace

std::string to_text(const PolicyProblem& problem) {
    if (problem.line == 0) return fmt::format("{}: {}", problem.file, problem.text);
    std::string text =
        fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.text);
    if (!problem.source.empty()) text += pointed_at(problem.source, problem.column);
    return text;
}

ProblemList::ProblemList(std::string file, std::string_view text) {
    begin_file(std::move(file), text);
}

void ProblemList::begin_file(std::string file, std::string_view text) {
    files_.push_back({std::move(file), split_lines(text)});
}

std::string ProblemList::line_name(Place place, Place from) const {
    if (place.file == from.file) return fmt::format("line {}", place.line);
    return fmt::format("line {} of {}", place.line, file_of(place).name);
}

void ProblemList::add(Place place, std::string text) {
    remarks_.push_back({place, std::move(text)});
}

void ProblemList::hide(Place place, std::size_t size) {
    hidden_.push_back({place, size});
}

std::string ProblemList::located(const Remark& remark) const {
    return fmt::format("{}:{}:{}: {}", file_of(remark.place).name, remark.place.line,
                       character_column(remark.place), remark.text);
}

std::string_view ProblemList::line_at(Place place) const {
    const auto index = static_cast<std::size_t>(place.line) - 1;
    const std::vector<std::string_view>& lines = file_of(place).lines;
    return place.line > 0 && index < lines.size() ? lines[index] : std::string_view{};
}

int ProblemList::character_column(Place place) const {
    if (place.line == 0) return 0;
    const std::string_view line = line_at(place);
    const auto bytes =
        std::min(static_cast<std::size_t>(std::max(place.column, 1)) - 1, line.size());
    return static_cast<int>(count_characters(line.substr(0, bytes))) + 1;
}

std::string ProblemList::excerpt(Place place) const {
    // Star out secrets before cutting the line: half a secret no longer looks like one.
    std::string line = with_secrets_starred(line_at(place).substr(0, 2 * policy_line_bytes_max));
    line.resize(std::min(line.size(), policy_line_bytes_max));
    for (const HiddenRange& range : hidden_) {
        if (range.place.line != place.line || range.place.file != place.file) continue;
        const auto begin = std::min(static_cast<std::size_t>(range.place.column) - 1, line.size());
        const auto size = std::min(range.size, line.size() - begin);
        line.replace(begin, size, size, '*');
    }
    line.resize(sound_size(line));  // Keeps bytes that are not text out of terminals.
    return line;
}

std::vector<PolicyProblem> ProblemList::take() {
    std::ranges::sort(remarks_);
    remarks_.erase(std::unique(remarks_.begin(), remarks_.end()), remarks_.end());
    const std::size_t count = remarks_.size();
    std::vector<PolicyProblem> problems;
    for (const Remark& remark : remarks_) {
        if (problems.size() == policy_problems_max) {
            problems.push_back({files_.front().name,
                                0,
                                0,
                                counted(count - problems.size(), "more problem is not shown",
                                        "more problems are not shown"),
                                {}});
            break;
        }
        problems.push_back({file_of(remark.place).name, remark.place.line,
                            character_column(remark.place), remark.text, excerpt(remark.place)});
    }
    return problems;
}

}  // namespace keyturn
