#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace keyturn::shipped {

/// A file of this repository, by its path from the root. For tests that compare what is written in
/// two places: they look at names and numbers, and leave the prose alone.
inline std::string text_of(const std::string& path) {
    std::ifstream file(std::string{KEYTURN_SOURCES} + "/" + path);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What the group of `pattern` stands for at each place of `text`.
inline std::vector<std::string> found_in(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
    std::vector<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
        found.push_back((*at)[1]);
    }
    return found;
}

/// A section of a manual page, without its heading; "" when there is none of that name.
inline std::string section_of(const std::string& page, const std::string& heading) {
    const std::size_t begin = page.find("\n.Sh " + heading + "\n");
    if (begin == std::string::npos) return {};
    const std::size_t end = page.find("\n.Sh ", begin + 1);
    return page.substr(begin + 1, end - begin);
}

}  // namespace keyturn::shipped
