#include "policy/source_text.hpp"

#include "policy/suggestion.hpp"
#include "unit/policy/parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string first_problem(const std::string& text) {
    const std::string problems = problems_of(parse_policy(text, "p"));
    return problems.substr(0, problems.find('\n'));
}

TEST(SourceText, RefusesWhatIsNotUtf8) {
    constexpr const char* sentence = "p:2:4: not UTF-8; save the file as UTF-8";
    for (const char* const bytes :
         {"\xFF", "\x80", "\xC3", "\xC3(", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82"}) {
        EXPECT_EQ(first_problem(std::string{"version: 1\n# \xC3\xBC"} + bytes), sentence)
            << testing::PrintToString(bytes);
    }
    const std::string umlaut = "version: 1\n# \xC3\xBC \xE2\x82\xAC \xF0\x9F\x94\x91\n";
    EXPECT_EQ(problems_of(parse_policy(completed(umlaut), "p")), "");
}

TEST(SourceText, RefusesUtf16) {
    const std::string text{"v\0e\0r\0", 6};
    EXPECT_EQ(first_problem(text), "p:1:2: control character 0x00; delete it");
}

TEST(SourceText, KeepsControlCharactersOutOfTheTerminal) {
    const std::string problems = problems_of(parse_policy("version: 1 # \x1b[31m red\n", "p"));
    EXPECT_EQ(problems,
              "p:1:14: control character 0x1b; delete it\n    version: 1 # \n                 ^\n");
}

TEST(SourceText, KnowsTheControlCharactersBeyondAscii) {
    EXPECT_EQ(problems_of(parse_policy("version: 1 # \xC2\x9B[31m red\n", "p")),
              "p:1:14: control character 0x9b; delete it\n    version: 1 # \n                 ^\n");
    EXPECT_EQ(quote_safe("a\xC2\x9B[31m\xC2\xA0\x1b\tb"), "a??[31m\xC2\xA0??b");
}

TEST(SourceText, HidesASecretThatTheEndOfALongLineCutsOff) {
    const std::string secret = "Kt9xQ2vB7nLm4RsW8yZd3FgH6jPc1TaU5eNoXi0k";
    const std::string front = "#" + std::string(980, ' ');
    const PolicyOutcome outcome = parse_policy(front + secret + "\n", "p");
    const auto& source = std::get<std::vector<PolicyProblem>>(outcome).front().source;
    EXPECT_EQ(source, front + std::string(19, '*'));
}

TEST(SourceText, LimitsTheFileAndItsLines) {
    EXPECT_EQ(first_problem(std::string(policy_bytes_max + 1, '#')),
              "p: larger than 1024 KiB, the limit for a policy");
    const std::string line(policy_line_bytes_max, '#');
    EXPECT_EQ(problems_of(parse_policy(completed(line + "\n"), "p")), "");
    EXPECT_EQ(first_problem(completed(line + "#\n")), "p:1:1: the line is longer than 1000 bytes");
}

TEST(SourceText, ReportsEveryTabInAnIndentation) {
    EXPECT_EQ(problems_of(parse_policy("a:\n \tb: 1\n\t# fine\n\t\n  \tc: \t1\n", "p")),
              "p:2:2: tab in the indentation; YAML indents with spaces only\n"
              "     \tb: 1\n     ^\n"
              "p:5:3: tab in the indentation; YAML indents with spaces only\n"
              "      \tc: \t1\n      ^\n");
}

TEST(SourceText, StopsAfterAHundredProblems) {
    std::string text;
    for (int i = 0; i < 150; ++i) text += fmt::format("zz{}: 1\n", i);
    const auto outcome = parse_policy(completed(text), "p");
    const auto& problems = std::get<std::vector<PolicyProblem>>(outcome);
    EXPECT_EQ(problems.size(), 101U);
    EXPECT_EQ(to_text(problems.back()), "p: 50 more problems are not shown");
}

TEST(Secrets, AreRecognised) {
    EXPECT_TRUE(looks_like_secret("Zx81KlmNop2QrStUvWxYz0123456789abcdEFGHi"));
    EXPECT_TRUE(looks_like_secret("eyJhIjoiNjk5ZDk4NjQyYzU2"));
    EXPECT_TRUE(looks_like_secret("c2547eb745079dac9320b638f5e225cf483cc"));  // A global API key.
    EXPECT_FALSE(looks_like_secret("699d98642c564d2e855e9661899b7252"));      // An account.
    EXPECT_FALSE(looks_like_secret("f70ff985-a4ef-4643-bbbc-4a0ed4fc8415"));
    EXPECT_FALSE(looks_like_secret("cloudflared-web-production-eu-west-1-blue"));
    EXPECT_EQ(with_secrets_starred("a: \"eyJhIjoiNjk5ZDk4NjQ=\", b: web"),
              "a: \"********************\", b: web");
}

TEST(Secrets, ArePassedOnByNoProblem) {
    const std::string pasted = "Zx81KlmNop2QrStUvWxYz0123456789abcdEFGHi";
    for (const char* const place :
         {"cloudflare: {{credentials: {{main: {{credential: {}}}}}}}\n",
          "cloudflare: {{credentials: {{main: {}}}}}\n",
          "cloudflare: {{api_url: 'https://a:{}@b'}}\n", "cloudflare: {{ca_file: {}}}\n", "{}: 1\n",
          "defaults: {{account: {}}}\n", "defaults: {{rollout: {{soak: {}}}}}\n",
          "defaults: {{rollout: {{batches: {}}}}}\n", "defaults: {{credential: {}}}\n",
          "secret: [{}\n", "a: 'b\n{}\n", "token: {{a: [{}]}}\n", "defaults: *{}\n",
          "defaults: \"\\q{}\"\n"}) {
        const std::string text = completed(fmt::format(fmt::runtime(place), pasted));
        const std::string problems = problems_of(parse_policy(text, "p"));
        EXPECT_NE(problems, "") << place;
        EXPECT_THAT(problems, Not(HasSubstr(pasted))) << place;
    }
}

TEST(Suggestion, IsNearTheWord) {
    const std::vector<std::string_view> words{"soak", "settle", "min_available"};
    EXPECT_EQ(closest("sok", words), "soak");
    EXPECT_EQ(closest("saok", words), "soak");
    EXPECT_EQ(closest("SETTLE", words), "settle");
    EXPECT_EQ(closest("minavailable", words), "min_available");
    EXPECT_EQ(closest("batches", words), "");
    EXPECT_EQ(closest("", words), "");
    EXPECT_EQ(closest(std::string(65, 's'), words), "");
}

TEST(Suggestion, QuotesWhatIsFitForAMessage) {
    EXPECT_EQ(in_backticks("web"), "`web`");
    EXPECT_EQ(in_backticks(std::string(80, 'w')), "`" + std::string(60, 'w') + "...`");
    EXPECT_EQ(in_backticks("a\nb"), "`a...`");
    EXPECT_EQ(in_backticks("a\x1b[31m"), "`a?[31m`");
}

}  // namespace
}  // namespace keyturn
