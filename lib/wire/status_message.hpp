#pragma once

#include "wire/tunnel_status.hpp"

#include <systemd/sd-bus.h>

#include <vector>

namespace keyturn {

/// Reads an a{sv} of the Tunnel interface into `status`. Missing properties keep their value.
/// Unknown ones are skipped, because a newer daemon may send them. Returns a negative errno on a
/// wrong type.
int read_properties(sd_bus_message* message, TunnelStatus& status);

/// Reads the answer to GetManagedObjects: every tunnel, sorted by name. Returns a negative errno on
/// a wrong type.
int read_managed_objects(sd_bus_message* message, std::vector<TunnelStatus>& tunnels);

}  // namespace keyturn
