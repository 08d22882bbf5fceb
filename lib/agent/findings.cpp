#include "agent/findings.hpp"

#include "agent/unit_starts.hpp"
#include "base/counted.hpp"
#include "model/unit_command.hpp"
#include "rotation/preflight.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

/// Anyone who has the token can attach any number of connectors. At most this many are listed one
/// by one.
constexpr std::size_t foreign_sentences_max = 5;

}  // namespace

bool Findings::note_foreign(const std::vector<Connector>& foreign) {
    bool news = false;
    std::set<std::string> seen;
    for (const Connector& connector : foreign) {
        seen.insert(connector.id);
        const bool seen_before = foreign_seen_.contains(connector.id);
        news = news || !seen_before;
        if (!seen_before || foreign_told_.contains(connector.id)) continue;
        foreign_told_.emplace(connector.id, describe(connector));
        tell(
            EventKind::foreign_connector, Priority::alert,
            fmt::format("Somebody else runs a connector of {0}: {1} is not one of its units. If it "
                        "is not yours, run `keyturnctl rotate {0} --compromised` to disconnect it",
                        policy_.name, describe(connector)));
    }
    for (const auto& [id, described] : foreign_told_) {
        if (seen.contains(id)) continue;
        tell(EventKind::finding_ended, Priority::notice,
             fmt::format("The foreign connector of {} is gone: {}", policy_.name, described));
    }
    std::erase_if(foreign_told_, [&](const auto& told) { return !seen.contains(told.first); });
    foreign_seen_ = std::move(seen);
    return news;
}

bool Findings::note_problems(std::vector<std::string> found) {
    const Problems::News news = problems_.note(std::move(found));
    for (const std::string& text : news.began) {
        tell(EventKind::finding_began, Priority::warning,
             fmt::format("The next rotation of {} would be refused: {}", policy_.name, text));
    }
    for (const std::string& text : news.ended) {
        tell(
            EventKind::finding_ended, Priority::notice,
            fmt::format("This no longer prevents the next rotation of {}: {}", policy_.name, text));
    }
    return news.suspected;
}

void Findings::note_look(std::string problem) {
    const std::string before = std::exchange(look_problem_, std::move(problem));
    if (look_problem_.empty() && !before.empty()) {
        tell(EventKind::finding_ended, Priority::notice,
             fmt::format("keyturnd can check the token of {} again. This had prevented it: {}",
                         policy_.name, before));
    }
    if (look_problem_.empty() || say_the_same(look_problem_, before)) return;
    tell(EventKind::drift_unknown, Priority::warning,
         fmt::format("keyturnd cannot check whether the token of {} is still current: {}",
                     policy_.name, look_problem_));
}

void Findings::note_starts(const TunnelState& state, const std::vector<std::string>& unknown) {
    for (const std::string& unit : unknown) {
        tell(EventKind::token_unknown, Priority::warning,
             fmt::format(
                 "{0}: token unknown, because the unit was started before keyturnd first checked "
                 "it. To be sure, run `{1}` or `keyturnctl rotate {2}`",
                 unit, unit_command("systemctl restart", unit), policy_.name));
        events_.back().target_unit = unit;
    }
    std::map<std::string, std::string> told;
    for (const UnitStart& start : outdated_starts(state)) {
        told.emplace(start.unit, start.invocation);
        const auto before = outdated_told_.find(start.unit);
        if (before != outdated_told_.end() && before->second == start.invocation) continue;
        const bool ours = policy_.drift.restart != DriftRestart::never;
        tell(EventKind::token_outdated, Priority::alert,
             fmt::format(
                 "{} {} started with the token {}, but the token of {} is now {}: the unit "
                 "cannot get a lost connection back{}",
                 start.unit, start.certain ? "was" : "may have been", start.fingerprint,
                 policy_.name, state.delivered,
                 ours ? ""
                      : fmt::format("; run `{}`", unit_command("systemctl restart", start.unit))));
        events_.back().target_unit = start.unit;
        events_.back().fingerprint = start.fingerprint;
    }
    outdated_told_ = std::move(told);
}

void Findings::note_token_file(const std::string& found, const std::string& written) {
    tell(EventKind::token_file_changed, Priority::error,
         fmt::format("The token file of {} {}, but the token at Cloudflare is still {}. keyturnd "
                     "has written that token to the file again and restarts nothing",
                     policy_.name,
                     found.empty() ? "was gone or held no token" : "held the token " + found,
                     written));
    events_.back().fingerprint = written;
}

std::vector<std::string> Findings::sentences(const TunnelState& state) const {
    std::vector<std::string> sentences;
    for (const auto& [id, described] : foreign_told_) {
        if (sentences.size() == foreign_sentences_max) {
            sentences.push_back(counted(foreign_told_.size() - foreign_sentences_max,
                                        "more connector is not one of its units",
                                        "more connectors are not its units"));
            break;
        }
        sentences.push_back(
            fmt::format("somebody else runs a connector: {} is not one of its units; to disconnect "
                        "it: keyturnctl rotate {} --compromised",
                        described, policy_.name));
    }
    for (const UnitStart& start : outdated_starts(state)) {
        sentences.push_back(
            fmt::format("{} {} started with the token {}, but the current token is {}: the unit "
                        "cannot get a lost connection back; to fix it: {}",
                        start.unit, start.certain ? "was" : "may have been", start.fingerprint,
                        state.delivered, unit_command("systemctl restart", start.unit)));
    }
    // An open rotation reports its own problems, and `keyturnctl adopt` is just solving these.
    if (!state.rotation) {
        for (const std::string& text : problems_.texts())
            sentences.push_back("the next rotation would be refused: " + text);
    }
    if (!look_problem_.empty()) {
        sentences.push_back("the last check of the token at Cloudflare failed: " + look_problem_);
    }
    return sentences;
}

void Findings::tell(EventKind kind, Priority priority, std::string message) {
    events_.push_back({kind, priority, std::move(message), policy_.name, policy_.tunnel});
}

}  // namespace keyturn
