// Whatever is in the file, the answer is a policy or a list of problems that can be shown.
#include "unit/policy/parts.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace keyturn {
namespace {

constexpr std::uint32_t seed = 20260301;

/// A small generator of our own: the same numbers on every machine.
class Numbers {
  public:
    explicit Numbers(std::uint32_t state) : state_(state) {}
    std::size_t below(std::size_t limit) {
        state_ ^= state_ << 13U;
        state_ ^= state_ >> 17U;
        state_ ^= state_ << 5U;
        return state_ % limit;
    }

  private:
    std::uint32_t state_;
};

void expect_an_answer(const std::string& text) {
    const PolicyOutcome outcome = parse_policy(text, "p");
    if (std::holds_alternative<Policy>(outcome)) return;
    EXPECT_NE(problems_of(outcome), "") << text;
    for (const PolicyProblem& problem : std::get<std::vector<PolicyProblem>>(outcome)) {
        EXPECT_GE(problem.line, 0) << text;
        EXPECT_FALSE(problem.text.empty()) << text;
    }
}

const std::string& sample() {
    static const std::string text = completed(
        "defaults:\n  rotate: {every: 30d, min_interval: 24h}\n  rollout:\n    soak: \"10m\"\n"
        "    batches: 2\n    canary: false\n  credential: main\n");
    return text;
}

TEST(BrokenInput, EveryPrefixHasAnAnswer) {
    for (std::size_t size = 0; size <= sample().size(); ++size)
        expect_an_answer(sample().substr(0, size));
}

TEST(BrokenInput, MutationsHaveAnAnswer) {
    constexpr std::string_view pieces = "{}[]:,-?&*!|>'\"%@`#\n \t~<=\\0aé";
    Numbers numbers(seed);
    for (int round = 0; round < 2000; ++round) {
        std::string text = sample();
        for (std::size_t edits = 1 + numbers.below(6); edits > 0; --edits) {
            const std::size_t at = numbers.below(text.size());
            const char piece = pieces[numbers.below(pieces.size())];
            switch (numbers.below(3)) {
                case 0: text[at] = piece; break;
                case 1: text.insert(at, 1, piece); break;
                default: text.erase(at, 1 + numbers.below(8)); break;
            }
        }
        expect_an_answer(text);
    }
}

TEST(BrokenInput, DeepNestingHasAnAnswer) {
    for (const char* const opener : {"[", "{", "{a: ", "- ", "? ", "[{a: "}) {
        std::string text;
        while (text.size() < 900) text += opener;
        expect_an_answer(text);
        std::string tall;
        for (int line = 0; line < 600; ++line)
            tall += std::string(static_cast<std::size_t>(line), ' ') + "a:\n";
        expect_an_answer(tall);
    }
}

TEST(BrokenInput, ManyKeysTakeNoTime) {
    std::string text;
    while (text.size() < 200'000) text += fmt::format("k{}: 1\n", text.size());
    expect_an_answer(text);
}

}  // namespace
}  // namespace keyturn
