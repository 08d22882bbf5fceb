// The table of wrong policies is data: wrong/*.txt, described in wrong/README.md.
#include "unit/policy/parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace keyturn {
namespace {

constexpr std::string_view title_mark = "=== ";
constexpr std::string_view expected_mark = "--- expected";
constexpr std::string_view whole_mark = "[whole]";

struct WrongPolicy {
    std::string title;
    std::string text;
    std::string expected;
};

void PrintTo(const WrongPolicy& wrong, std::ostream* stream) {
    *stream << wrong.title;
}

std::vector<WrongPolicy> read_cases(const std::filesystem::path& path) {
    std::vector<WrongPolicy> cases;
    std::ifstream file(path);
    bool in_expected = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(title_mark)) {
            cases.push_back({line.substr(title_mark.size()), {}, {}});
            in_expected = false;
        } else if (line == expected_mark) {
            in_expected = true;
        } else {
            (in_expected ? cases.back().expected : cases.back().text) += line + "\n";
        }
    }
    return cases;
}

std::vector<WrongPolicy> read_all_cases() {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(KEYTURN_WRONG_POLICIES)) {
        if (entry.path().extension() == ".txt") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<WrongPolicy> cases;
    for (const auto& path : paths) {
        for (WrongPolicy& wrong : read_cases(path)) cases.push_back(std::move(wrong));
    }
    return cases;
}

std::string test_name_of(const testing::TestParamInfo<WrongPolicy>& parameter) {
    std::string name;
    for (const char c : parameter.param.title) {
        const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (fits)
            name += c;
        else if (!name.empty() && name.back() != '_')
            name += '_';
    }
    return name;
}

class WrongPolicies : public testing::TestWithParam<WrongPolicy> {};

TEST_P(WrongPolicies, AreExplained) {
    const WrongPolicy& wrong = GetParam();
    const bool whole = wrong.title.ends_with(whole_mark);
    const std::string text = whole ? wrong.text : completed(wrong.text);
    ASSERT_FALSE(wrong.expected.empty());
    EXPECT_EQ(problems_of(parse_policy(text, "keyturn.yaml")), wrong.expected) << text;
}

INSTANTIATE_TEST_SUITE_P(All, WrongPolicies, testing::ValuesIn(read_all_cases()), test_name_of);

TEST(WrongPolicyTable, IsThere) {
    EXPECT_GE(read_all_cases().size(), 80U);
}

}  // namespace
}  // namespace keyturn
