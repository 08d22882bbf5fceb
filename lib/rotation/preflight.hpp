#pragma once

#include "policy/policy.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// Everything that was looked at before anything is touched.
struct PreflightFacts {
    InspectTunnel::Value tunnel;
    ReadToken::Value token;
    std::vector<Connector> connectors;
    InspectUnits::Value units;
    SampleUnits::Value samples;  ///< In the order of `units`.
    CheckFiles::Value files;
};

/// The judgement: problems (each a sentence with its remedy), or a plan.
struct PreflightVerdict {
    std::vector<std::string> problems;
    std::vector<UnitProgress> units;  ///< In the order of the roll-out.
};

/// Judges the facts. `accept_gap` is the operator's word that traffic may stop for a moment;
/// `scheduled` refuses to start on a clock that disagrees with the API's. Pure.
[[nodiscard]] PreflightVerdict judge_preflight(const TunnelPolicy& policy, bool accept_gap,
                                               bool scheduled, const PreflightFacts& facts);

/// The units in the order of the roll-out. Pure.
[[nodiscard]] std::vector<UnitProgress> plan_units(const TunnelPolicy& policy,
                                                   const PreflightFacts& facts);

/// A wall clock this far from the API's is wrong.
inline constexpr std::chrono::minutes clock_error_max{5};

}  // namespace keyturn
