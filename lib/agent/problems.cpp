#include "agent/problems.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <utility>

namespace keyturn {

Problems::News Problems::note(std::vector<std::string> found) {
    std::vector<Problem> before = std::exchange(problems_, {});
    News news;
    for (std::string& text : found) {
        const auto same = std::ranges::find_if(
            before, [&](const Problem& problem) { return say_the_same(problem.text, text); });
        const bool seen_before = same != before.end();
        if (seen_before && !same->told) news.began.push_back(text);
        problems_.push_back({std::move(text), seen_before});
        if (seen_before) before.erase(same);
        news.suspected = news.suspected || !seen_before;
    }
    for (Problem& problem : before) {
        if (problem.told) news.ended.push_back(std::move(problem.text));
    }
    return news;
}

std::vector<std::string> Problems::texts() const {
    std::vector<std::string> texts;
    for (const Problem& problem : problems_) texts.push_back(problem.text);
    return texts;
}

}  // namespace keyturn
