#include "doctor/remedy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

std::string shell_word(const std::string& text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + "'";
}

std::string drop_in_command(const std::string& unit, const std::string& name,
                            const std::vector<std::string>& lines) {
    const std::string folder = "/etc/systemd/system/" + unit + ".d";
    // Not in /run, and before keyturn.conf in the order of names.
    const std::string script =
        fmt::format("mkdir -p {0} && printf \"{1}\\n\" >{0}/10-{2}.conf && systemctl daemon-reload",
                    unit.find('\\') == std::string::npos ? folder : fmt::format("\"{}\"", folder),
                    fmt::join(lines, "\\n"), name);
    return fmt::format("sudo sh -c '{}'", script);
}

std::vector<std::string> about(const UnitSeen& unit) {
    std::vector<std::string> about{unit.name()};
    if (!unit.planned_for.empty()) about.push_back(unit.planned_for);
    return about;
}

std::vector<std::string> about_all_of(const HostFacts& facts, const TunnelSeen& tunnel) {
    std::vector<std::string> about{tunnel.name, "credential " + tunnel.credential};
    for (const UnitSeen& unit : facts.units)
        if (unit.planned_for == tunnel.name) about.push_back(unit.name());
    about.insert(about.end(), tunnel.lost_units.begin(), tunnel.lost_units.end());
    about.insert(about.end(), tunnel.masked_units.begin(), tunnel.masked_units.end());
    return about;
}

const TunnelSeen* tunnel_of(const HostFacts& facts, const UnitSeen& unit) {
    const auto found = std::ranges::find(facts.tunnels, unit.planned_for, &TunnelSeen::name);
    return unit.planned_for.empty() || found == facts.tunnels.end() ? nullptr : &*found;
}

bool is_rotating(const TunnelSeen& tunnel) {
    return tunnel.status && !tunnel.status->phase.empty();
}

std::string edit_policy_command(const std::string& path) {
    return fmt::format("sudoedit {} && sudo systemctl try-reload-or-restart keyturnd",
                       shell_word(path));
}

}  // namespace keyturn
