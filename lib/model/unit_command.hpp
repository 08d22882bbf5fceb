#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// The host of "host/unit"; empty for a unit of this host.
[[nodiscard]] inline std::string_view host_of(std::string_view unit) {
    const std::size_t slash = unit.find('/');
    return slash == std::string_view::npos ? std::string_view() : unit.substr(0, slash);
}

/// Returns the command line that a person runs for a unit, such as "systemctl restart web.service".
/// A fleet names the unit of a host "host/unit", and systemd allows no slash in a unit's name: the
/// command then goes to that host.
[[nodiscard]] inline std::string unit_command(std::string_view command, std::string_view unit) {
    std::string line(command);
    line += ' ';
    const std::string host(host_of(unit));
    if (host.empty()) return line.append(unit);
    return "ssh " + host + ' ' + line.append(unit.substr(host.size() + 1));
}

/// Returns the command line that takes a host out of the fleet of a tunnel for ever.
[[nodiscard]] inline std::string decommission_command(std::string_view tunnel,
                                                      std::string_view host) {
    std::string line("keyturnctl fleet decommission ");
    return line.append(tunnel).append(" ").append(host);
}

}  // namespace keyturn
