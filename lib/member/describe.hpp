#pragma once

#include "time/moment.hpp"

#include <string>

namespace keyturn {

class FleetTunnel;

/// The fleet of a tunnel as one of its hosts sees it: a line for the tunnel, a line for each unit.
[[nodiscard]] std::string describe_fleet(const std::string& tunnel, const FleetTunnel& fleet,
                                         BootTime now);

}  // namespace keyturn
