#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace keyturn::shipped {

/// The text of a file, by its path from the root of the repository. For tests that compare two
/// places that state the same fact. They read names and numbers, never prose.
inline std::string text_of(const std::string& path) {
    std::ifstream file(std::string{KEYTURN_SOURCES} + "/" + path);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What the group of `pattern` matches, for each match in `text`.
inline std::vector<std::string> found_in(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
    std::vector<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
        found.push_back((*at)[1]);
    }
    return found;
}

/// A section of a manual page. Empty if there is none of that name.
inline std::string section_of(const std::string& page, const std::string& heading) {
    const std::size_t begin = page.find("\n.Sh " + heading + "\n");
    if (begin == std::string::npos) return {};
    const std::size_t end = page.find("\n.Sh ", begin + 1);
    return page.substr(begin + 1, end - begin);
}

}  // namespace keyturn::shipped
