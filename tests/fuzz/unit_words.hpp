#pragma once

#include "model/unit_state.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn::fuzz {

/// Takes one character off `rest`, escapes undone.
[[nodiscard]] inline char take_character(std::string_view& rest) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '%' && rest.starts_with('%')) rest.remove_prefix(1);
    if (c != '\\' || rest.empty()) return c;
    c = rest.front();
    rest.remove_prefix(1);
    if (c != 'x') return c;
    c = static_cast<char>(std::stoi(std::string(rest.substr(0, 2)), nullptr, 16));
    rest.remove_prefix(2);
    return c;
}

/// The words of a line as systemd.syntax(7) has them, as far as we write such lines: double quotes,
/// backslashes and "%%".
[[nodiscard]] inline std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    bool quoted = false;
    bool in_word = false;
    while (!line.empty()) {
        const bool quote = line.front() == '"';
        const bool blank = line.front() == ' ' && !quoted;
        if (quote) quoted = !quoted;
        if (blank || quote) line.remove_prefix(1);
        if (!blank && !in_word) words.emplace_back();
        in_word = !blank;
        if (!blank && !quote) words.back() += take_character(line);
    }
    return words;
}

/// The settings after systemd has read a drop-in of ours.
[[nodiscard]] inline UnitSettings with_drop_in(UnitSettings settings,
                                               const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string_view value = std::string_view(line).substr(equals + 1);
        const std::vector<std::string> words = words_of(value);
        if (line == "LoadCredential=") {
            settings.load_credentials.clear();
        } else if (line.starts_with("LoadCredential=token:")) {
            settings.load_credentials = {{"token", words.front().substr(6)}};
        } else if (line.starts_with("UnsetEnvironment=")) {
            settings.unset_environment.insert(settings.unset_environment.end(), words.begin(),
                                              words.end());
        } else if (value.empty()) {
            settings.exec_start.clear();
        } else {
            settings.exec_start.push_back(words);
        }
    }
    return settings;
}

}  // namespace keyturn::fuzz
