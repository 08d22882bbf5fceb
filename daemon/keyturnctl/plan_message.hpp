#pragma once

#include "control/tunnel_plan.hpp"

#include <systemd/sd-bus.h>

#include <vector>

namespace keyturn {

/// Reads the answer of Plan. Zero or more, or a negative errno.
int read_plans(sd_bus_message* reply, std::vector<TunnelPlan>& plans);

}  // namespace keyturn
