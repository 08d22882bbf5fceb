#include "rights.hpp"

#include "base/names.hpp"
#include "model/installed_names.hpp"
#include "setup.hpp"
#include "setup/command.hpp"
#include "setup/foreground.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <utility>

namespace keyturn {

namespace {

constexpr std::chrono::seconds patience{60};
/// In the place of a unit: what follows is why there is no answer.
constexpr std::string_view silent_mark = "-";

std::string_view verb_text(UnitVerb verb) {
    switch (verb) {
        case UnitVerb::try_restart: return "try-restart";
        case UnitVerb::restart: return "restart";
        case UnitVerb::stop: break;
    }
    return "stop";
}

std::string_view answer_text(Permission permission) {
    switch (permission) {
        case Permission::granted: return "granted";
        case Permission::not_by_hand: return "not-by-hand";
        case Permission::refused: break;
    }
    return "refused";
}

std::optional<Permission> permission_of(std::string_view text) {
    for (const Permission one : {Permission::granted, Permission::refused, Permission::not_by_hand})
        if (answer_text(one) == text) return one;
    return std::nullopt;
}

/// Takes the text before the separator off.
std::string_view take(std::string_view& text, char separator) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

RightsSeen parse(std::string_view text) {
    RightsSeen seen;
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        const std::string_view unit = take(line, ' ');
        if (unit == silent_mark) {
            seen.polkit_problem = line;
            continue;
        }
        const std::string_view verb = take(line, ' ');
        if (const auto permission = permission_of(line))
            seen.rights.push_back({std::string(unit), std::string(verb), permission});
    }
    return seen;
}

}  // namespace

RightsSeen look_at_rights(const std::vector<std::string>& units) {
    if (units.empty()) return {};
    std::error_code error;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
    std::vector<std::string> words{"setpriv", "--clear-groups"};
    words.push_back(fmt::format("--reuid={}", keyturnd_user));
    words.push_back(fmt::format("--regid={}", keyturnd_user));
    words.insert(words.end(), {"--", self, "ask-polkit"});
    words.insert(words.end(), units.begin(), units.end());
    const auto answer = run_command(words, Secret(), patience);
    if (!answer || answer->exit_code != 0) return {};
    return parse(answer->output.reveal());
}

ExitCode ask_polkit(const AskPolkitCommand& command) {
    Foreground host;
    if (auto connected = host.connect(); !connected) return fail(connected.error());
    for (const std::string& unit : command.units) {
        for (const UnitVerb verb : verbs_of({unit, is_surge_unit(unit)})) {
            const auto permission = host.wait(host.units().may(unit, verb));
            if (!permission) {
                // The others would wait for the same silence.
                fmt::print("{} {}\n", silent_mark, permission.error().text);
                return ExitCode::ok;
            }
            fmt::print("{} {} {}\n", unit, verb_text(verb), answer_text(*permission));
        }
    }
    return ExitCode::ok;
}

}  // namespace keyturn
