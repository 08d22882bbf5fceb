#include "doctor/report.hpp"

#include "base/counted.hpp"
#include "base/visible_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace keyturn {

namespace {

constexpr std::string_view indent = "    ";
constexpr std::array worst_first{Severity::fail, Severity::warn, Severity::note};

/// Breaks a text between words. Text from outside cannot add lines of its own.
std::string wrapped(std::string_view text, std::size_t columns) {
    const std::string visible = visible_text(text, ' ');
    std::string_view rest = visible;
    std::string lines;
    std::size_t width = 0;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        const std::string_view word = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (word.empty()) continue;
        if (width > 0 && width + 1 + word.size() > columns) width = 0;
        lines += width > 0 ? " " : fmt::format("{}{}", lines.empty() ? "" : "\n", indent);
        lines += word;
        width = width > 0 ? width + 1 + word.size() : indent.size() + word.size();
    }
    return lines + "\n";
}

std::string entry(const Reported& one, std::size_t columns) {
    const Check& check = *one.check;
    std::string text = fmt::format("{} {}", name_of(check.severity), check.id);
    if (!one.finding.about.empty()) text += ": " + visible_text(one.finding.about.front());
    text += "\n";
    if (one.ignored != nullptr)
        text += wrapped(fmt::format("Ignored since {}: {}", one.ignored->since, one.ignored->why),
                        columns);
    text += wrapped(one.finding.seen + ".", columns);
    // One line, whatever its length: it is to be pasted.
    text += fmt::format("{}> {}\n", indent, visible_text(one.finding.remedy));
    text += fmt::format("{}See {}\n\n", indent, manual_of(check));
    return text;
}

std::size_t count(const Examination& examination, Severity severity) {
    return static_cast<std::size_t>(
        std::ranges::count_if(examination.findings, [&](const Reported& one) {
            return one.ignored == nullptr && one.check->severity == severity;
        }));
}

}  // namespace

std::string manual_of(const Check& check) {
    return fmt::format("keyturnctl(1), CHECKS, {}", check.id);
}

std::string report_text(const Examination& examination, std::size_t columns) {
    std::string text;
    for (const bool ignored : {false, true}) {
        for (const Severity severity : worst_first) {
            for (const Reported& one : examination.findings) {
                if (one.check->severity == severity && (one.ignored != nullptr) == ignored)
                    text += entry(one, columns);
            }
        }
    }
    const auto hidden = std::ranges::count_if(
        examination.findings, [](const Reported& one) { return one.ignored != nullptr; });
    return text + fmt::format("{}: {} failed, {} warned, {} noted, {} ignored\n",
                              counted(examination.checks, "check"),
                              count(examination, Severity::fail),
                              count(examination, Severity::warn),
                              count(examination, Severity::note), hidden);
}

std::string report_json(const Examination& examination) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const Reported& one : examination.findings) {
        nlohmann::ordered_json finding;
        finding["id"] = one.check->id;
        finding["severity"] = name_of(one.check->severity);
        finding["title"] = one.check->title;
        finding["about"] = nullptr;
        if (!one.finding.about.empty()) finding["about"] = one.finding.about.front();
        finding["seen"] = visible_text(one.finding.seen);
        finding["remedy"] = visible_text(one.finding.remedy);
        finding["manual"] = manual_of(*one.check);
        finding["depends_on"] = nlohmann::ordered_json::array();
        for (const std::string_view cause : one.check->causes)
            if (!cause.empty()) finding["depends_on"].push_back(cause);
        finding["ignored"] = nullptr;
        if (one.ignored != nullptr)
            finding["ignored"] = {{"since", one.ignored->since}, {"why", one.ignored->why}};
        findings.push_back(std::move(finding));
    }
    nlohmann::ordered_json document;
    document["ok"] = !examination.failed();
    document["checks"] = examination.checks;
    document["findings"] = std::move(findings);
    return document.dump(2) + "\n";
}

}  // namespace keyturn
