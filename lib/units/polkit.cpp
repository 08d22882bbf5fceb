#include "units/polkit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace keyturn {

namespace {

/// Sorts before the installed rule, which refuses everything else. It has its own name, so nobody's
/// file is overwritten.
constexpr std::string_view rules_file = "/etc/polkit-1/rules.d/49-keyturn.rules";

constexpr std::string_view restart_verbs = R"("restart", "try-restart", "reset-failed")";
constexpr std::string_view surge_verbs = R"("restart", "try-restart", "reset-failed", "stop")";

/// In JavaScript quotes. systemd allows no other character in a unit name that needs escaping.
std::string quoted(const std::string& unit) {
    std::string text = "\"";
    for (const char character : unit) {
        if (character == '\\') text += '\\';
        text += character;
    }
    return text + '"';
}

/// A single line, so that it survives the journal, JSON and a terminal.
std::string rule(std::string_view user, const std::vector<std::string>& units,
                 std::string_view verbs) {
    return fmt::format(
        "polkit.addRule(function (action, subject) {{ if (action.id == "
        "\"org.freedesktop.systemd1.manage-units\" && subject.user == \"{}\" && "
        "[{}].indexOf(action.lookup(\"unit\")) >= 0 && "
        "[{}].indexOf(action.lookup(\"verb\")) >= 0) return polkit.Result.YES; }});",
        user, fmt::join(units, ", "), verbs);
}

}  // namespace

const std::vector<UnitVerb>& verbs_of(const UnitRights& rights) {
    static const std::vector<UnitVerb> planned{UnitVerb::try_restart, UnitVerb::restart};
    static const std::vector<UnitVerb> surge{UnitVerb::try_restart, UnitVerb::restart,
                                             UnitVerb::stop};
    return rights.stop ? surge : planned;
}

std::string polkit_remedy(std::string_view user, const std::vector<UnitRights>& units) {
    std::vector<std::string> rules;
    for (const bool stop : {false, true}) {
        std::vector<std::string> names;
        for (const UnitRights& rights : units) {
            if (rights.stop == stop) names.push_back(quoted(rights.unit));
        }
        if (!names.empty()) rules.push_back(rule(user, names, stop ? surge_verbs : restart_verbs));
    }
    return fmt::format("put this line into {}: {}", rules_file, fmt::join(rules, " "));
}

}  // namespace keyturn
