#pragma once

#include "wire/bus_type.hpp"
#include "wire/tunnel_plan.hpp"

#include <tuple>

namespace keyturn {

template <>
inline constexpr std::tuple bus_members<PlannedStart>{&PlannedStart::due, &PlannedStart::start,
                                                      &PlannedStart::end, &PlannedStart::cause,
                                                      &PlannedStart::freeze};

template <>
inline constexpr std::tuple bus_members<TunnelPlan>{&TunnelPlan::name,     &TunnelPlan::paused,
                                                    &TunnelPlan::timezone, &TunnelPlan::units,
                                                    &TunnelPlan::batches,  &TunnelPlan::starts};

/// The type of Plan's answer.
using PlansType = BusType<std::vector<TunnelPlan>>;

}  // namespace keyturn
