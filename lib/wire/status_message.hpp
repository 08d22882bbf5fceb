#pragma once

#include "wire/tunnel_status.hpp"

#include <systemd/sd-bus.h>

#include <vector>

namespace keyturn {

/// Reads an a{sv} of the Tunnel interface into `status`. Properties that are not there keep their
/// value; unknown ones are skipped, a newer daemon may have them. Negative errno on a wrong type.
int read_properties(sd_bus_message* message, TunnelStatus& status);

/// Reads the answer to GetManagedObjects: every tunnel, by name.
int read_managed_objects(sd_bus_message* message, std::vector<TunnelStatus>& tunnels);

}  // namespace keyturn
