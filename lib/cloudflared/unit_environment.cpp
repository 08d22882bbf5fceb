#include "cloudflared/unit_environment.hpp"

#include <algorithm>

namespace keyturn {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// The value in the last entry NAME=VALUE, which is the one that takes effect.
std::optional<std::string> last_value(const std::vector<std::string>& entries,
                                      std::string_view name) {
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        const std::string_view text = *entry;
        if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=')
            return std::string(text.substr(name.size() + 1));
    }
    return std::nullopt;
}

}  // namespace

VariableState variable_state(const UnitSettings& settings, const CloudflaredCommand& command,
                             std::string_view name) {
    if (last_value(command.assignments, name)) return VariableState::set;
    if (command.contained) {
        if (command.environment_unknown) return VariableState::unknown;
        // Passed on without a value, so it has the unit's value.
        if (!contains(command.assignments, name)) return VariableState::absent;
    }
    // An entry NAME=VALUE there removes only that one value, which is not enough to rely on.
    if (contains(settings.unset_environment, name)) return VariableState::absent;
    if (!settings.environment_files.empty()) return VariableState::unknown;
    if (last_value(settings.environment, name)) return VariableState::set;
    if (contains(settings.pass_environment, name)) return VariableState::unknown;
    if (last_value(settings.manager_environment, name)) return VariableState::set;
    return VariableState::absent;
}

std::optional<std::string> variable_value(const UnitSettings& settings,
                                          const CloudflaredCommand& command,
                                          std::string_view name) {
    if (variable_state(settings, command, name) != VariableState::set) return std::nullopt;
    auto value = last_value(command.assignments, name);
    if (!value) value = last_value(settings.environment, name);
    if (!value) value = last_value(settings.manager_environment, name);
    if (value && value->empty()) return std::nullopt;
    return value;
}

}  // namespace keyturn
