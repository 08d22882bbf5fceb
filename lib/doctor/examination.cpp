#include "doctor/examination.hpp"

#include <algorithm>
#include <map>

namespace keyturn {

namespace {

using Found = std::map<std::string_view, std::vector<Finding>>;

bool contains(const std::vector<std::string>& list, std::string_view text) {
    return std::ranges::find(list, text) != list.end();
}

/// True if the cause is about the host as a whole, or about something that the finding is about.
bool explains(const Finding& cause, const Finding& finding) {
    return cause.about.empty() || contains(finding.about, cause.about.front());
}

/// True if both are about the same, or the cause is about the host as a whole.
bool overlap(const Finding& cause, const Finding& finding) {
    return cause.about.empty() || std::ranges::any_of(cause.about, [&](const std::string& one) {
               return contains(finding.about, one);
           });
}

bool is_explained(const Check& check, const Finding& finding, const Found& found) {
    const bool by_any = check.causes.front() == any_failure;
    return std::ranges::any_of(all_checks(), [&](const Check& other) {
        if (other.id == check.id) return false;
        const bool named = std::ranges::find(check.causes, other.id) != check.causes.end();
        const bool any = by_any && other.severity == Severity::fail;
        if (!named && !any) return false;
        return std::ranges::any_of(found.at(other.id), [&](const Finding& one) {
            return named ? explains(one, finding) : overlap(one, finding);
        });
    });
}

/// What is about the whole host or a tunnel stays, because the unit may depend on it.
bool is_about_other_unit(const Finding& finding, const std::vector<std::string>& units) {
    if (units.empty() || finding.about.empty()) return false;
    const std::string& first = finding.about.front();
    return first.ends_with(".service") && !contains(units, first);
}

}  // namespace

bool Examination::failed() const {
    return std::ranges::any_of(findings, [](const Reported& one) {
        return one.check->severity == Severity::fail && one.ignored == nullptr;
    });
}

Examination examine(const HostFacts& facts, const Question& question) {
    Found found;
    for (const Check& check : all_checks()) found[check.id] = check.look(facts);
    Examination examination;
    for (const Check& check : all_checks()) {
        if (!question.only.empty() && !contains(question.only, check.id)) continue;
        ++examination.checks;
        const auto ignored = std::ranges::find(question.ignored, check.id, &IgnoredCheck::id);
        for (const Finding& finding : found[check.id]) {
            if (is_explained(check, finding, found)) continue;
            if (is_about_other_unit(finding, question.units)) continue;
            examination.findings.push_back(
                {&check, finding, ignored == question.ignored.end() ? nullptr : &*ignored});
        }
    }
    return examination;
}

}  // namespace keyturn
