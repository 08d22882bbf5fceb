#pragma once

#include "control/tunnel_plan.hpp"

#include <systemd/sd-bus.h>

#include <vector>

namespace keyturn {

/// Appends plans as a(sbsasaia(tttss)): name, paused, units, batches, and for each start when it is
/// due, begins and is expected to end (microseconds UTC, 0: never) and its cause. Zero or more, or
/// a negative errno.
int append_plans(sd_bus_message* message, const std::vector<TunnelPlan>& plans);

}  // namespace keyturn
