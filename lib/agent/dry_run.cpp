// What the preflight of the next rotation would say today.

#include "agent/tunnel_agent.hpp"
#include "journal/event_log.hpp"
#include "rotation/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

/// `problems`: what has been found already. Only the schedule minds a clock that is wrong.
std::vector<std::string> TunnelAgent::judge(const PreflightFacts& facts,
                                            std::vector<std::string> problems) const {
    const bool scheduled = next_.has_value();
    std::vector<std::string> found =
        judge_preflight(policy_, policy_.rollout.accept_gap, scheduled, facts);
    std::ranges::move(found, std::back_inserter(problems));
    return problems;
}

/// A problem is told once when it begins and once when it ends. One that may pass by itself, as a
/// unit that is just starting, is looked at again before it is told.
void TunnelAgent::note_problems(std::vector<std::string> found) {
    std::vector<Problem> before = std::exchange(problems_, {});
    bool news = false;
    for (std::string& text : found) {
        const auto same = std::ranges::find_if(
            before, [&](const Problem& problem) { return say_the_same(problem.text, text); });
        Problem problem{std::move(text), false};
        if (same != before.end()) {
            problem.told = true;
            if (!same->told) {
                tell(EventKind::finding_began, Priority::warning,
                     fmt::format("The next rotation of {} would be refused: {}", policy_.name,
                                 problem.text));
            }
            before.erase(same);
        } else {
            news = true;
        }
        problems_.push_back(std::move(problem));
    }
    for (const Problem& problem : before) {
        if (!problem.told) continue;
        tell(EventKind::finding_ended, Priority::notice,
             fmt::format("This no longer stands in the way of the next rotation of {}: {}",
                         policy_.name, problem.text));
    }
    if (news) look_again();
}

}  // namespace keyturn
