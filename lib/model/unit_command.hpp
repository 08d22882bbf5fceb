#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// Returns the command line that a person runs for a unit, such as "systemctl restart web.service".
/// A fleet names the unit of a host "host/unit", and systemd allows no slash in a unit's name: the
/// command then goes to that host.
[[nodiscard]] inline std::string unit_command(std::string_view command, std::string_view unit) {
    std::string line(command);
    line += ' ';
    const std::size_t slash = unit.find('/');
    if (slash == std::string_view::npos) return line.append(unit);
    const std::string host(unit.substr(0, slash));
    return "ssh " + host + ' ' + line.append(unit.substr(slash + 1));
}

}  // namespace keyturn
