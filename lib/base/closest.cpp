#include "base/closest.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

namespace keyturn {
namespace {

constexpr std::size_t word_size_max = 64;

/// Differences in case and between the two joining characters cost nothing.
std::string plain(std::string_view word) {
    std::string result;
    for (const char c : word) {
        if (c != '_' && c != '-') result += lower(c);
    }
    return result;
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two words.
std::size_t edits_between(std::string_view left, std::string_view right) {
    const std::size_t width = right.size() + 1;
    std::vector<std::size_t> table((left.size() + 1) * width);
    const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
        return table[i * width + j];
    };
    for (std::size_t i = 0; i <= left.size(); ++i) at(i, 0) = i;
    for (std::size_t j = 0; j <= right.size(); ++j) at(0, j) = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t replaced = at(i - 1, j - 1) + (left[i - 1] == right[j - 1] ? 0 : 1);
            at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
            const bool swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
        }
    }
    return at(left.size(), right.size());
}

}  // namespace

std::string_view closest(std::string_view word, const std::vector<std::string_view>& candidates) {
    if (word.empty() || word.size() > word_size_max) return {};
    const std::string wanted = plain(word);
    std::string_view best;
    std::size_t fewest = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > word_size_max) continue;
        const std::size_t edits = edits_between(wanted, plain(candidate));
        if (edits < fewest) {
            fewest = edits;
            best = candidate;
        }
    }
    return best;
}

}  // namespace keyturn
