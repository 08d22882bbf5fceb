#include "doctor/unit_redaction.hpp"

#include "base/ascii.hpp"
#include "doctor/redactor.hpp"
#include "units/redaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view word_ends = " \t\"'`";
constexpr std::string_view comment_marks = "#;";
constexpr std::array<std::string_view, 2> secret_to_the_end{"credentials-contents",
                                                            "TUNNEL_CRED_CONTENTS"};

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t#;"), text.size()));
    return text;
}

/// The settings, each on one line, as systemd reads them: a backslash at the end of a line goes on
/// with the next one, and comments between them do not count.
std::string joined(std::string_view text) {
    std::string result;
    bool open = false;
    for (std::string_view line : split(text, "\n")) {
        const std::string_view start =
            line.substr(std::min(line.find_first_not_of(blanks), line.size()));
        if (open && !start.empty() && comment_marks.find(start.front()) != std::string_view::npos)
            continue;
        if (!result.empty() && !open) result += "\n";
        open = line.ends_with('\\');
        if (open) line.remove_suffix(1);
        result += line;
        if (open) result += " ";
    }
    return result;
}

/// The line up to what is secret to its end, without quotes or blanks behind the name.
std::string_view before_endless(std::string_view line) {
    for (const std::string_view name : secret_to_the_end) {
        const std::size_t found = line.find(name);
        if (found != std::string_view::npos) line = line.substr(0, found + name.size());
    }
    return line;
}

/// The size of a word as systemd reads it, with quoted parts and characters after a backslash.
std::size_t size_of_word(std::string_view text) {
    char quote = '\0';
    std::size_t size = 0;
    for (; size < text.size(); ++size) {
        const char c = text[size];
        if (quote == '\0' && blanks.find(c) != std::string_view::npos) break;
        if (c == '\\')
            ++size;
        else if (c == quote)
            quote = '\0';
        else if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
    }
    return std::min(size, text.size());
}

bool is_variable(std::string_view name) {
    return !name.empty() &&
           std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '_'; });
}

/// The names of the variables, and the values of the harmless ones.
std::string without_values(std::string_view assignments) {
    std::string kept;
    for (;;) {
        assignments.remove_prefix(
            std::min(assignments.find_first_not_of(blanks), assignments.size()));
        if (assignments.empty()) return kept;
        if (!kept.empty()) kept += " ";
        std::string_view word = assignments.substr(0, size_of_word(assignments));
        assignments.remove_prefix(word.size());
        if (word.front() == '"' || word.front() == '\'') {
            word.remove_prefix(1);
            if (word.ends_with('"') || word.ends_with('\'')) word.remove_suffix(1);
        }
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos || !is_variable(word.substr(0, equals))) {
            kept += redaction_mark;
            continue;
        }
        const std::string cut = cut_environment(word);
        kept += cut;
        if (cut != word) kept += redaction_mark;
    }
}

std::string without_secret_words(std::string_view line) {
    ArgumentCut cut;
    std::string kept;
    while (!line.empty()) {
        const std::size_t start = std::min(line.find_first_not_of(word_ends), line.size());
        kept += line.substr(0, start);
        line.remove_prefix(start);
        if (line.empty()) break;
        const std::string_view word = line.substr(0, line.find_first_of(word_ends));
        const std::string left = cut.next(word);
        kept += left;
        if (left != word) kept += redaction_mark;
        line.remove_prefix(word.size());
    }
    return kept;
}

std::string without_secrets_of_line(std::string_view line) {
    const std::string_view setting = trimmed(line);
    const std::size_t equals = std::min(setting.find('='), setting.size());
    const std::string_view value = setting.substr(std::min(equals + 1, setting.size()));
    std::string_view name = setting.substr(0, equals);
    name = name.substr(0, name.find_last_not_of(blanks) + 1);
    const std::string_view before = line.substr(0, line.size() - setting.size() + name.size());
    if (name == "Environment") return fmt::format("{}={}", before, without_values(value));
    if (name == "SetCredential" || name == "SetCredentialEncrypted")
        return fmt::format("{}={}:{}", before, value.substr(0, value.find(':')), redaction_mark);
    const std::string_view bounded = before_endless(line);
    std::string kept = without_secret_words(bounded);
    if (bounded.size() < line.size()) kept += fmt::format(" {}", redaction_mark);
    return kept;
}

}  // namespace

std::string without_secrets_of_units(std::string_view text) {
    std::string result;
    const std::string lines = joined(text);
    for (const std::string_view line : split(lines, "\n")) {
        if (!result.empty()) result += "\n";
        result += without_secrets_of_line(line);
    }
    return result;
}

}  // namespace keyturn
