#pragma once

#include "policy/policy.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// Everything that was looked at before anything is touched.
struct PreflightFacts {
    InspectTunnel::Value tunnel;
    ReadToken::Value token;
    std::vector<Connector> connectors;
    InspectUnits::Value units;   ///< Without those that are passed over.
    SampleUnits::Value samples;  ///< In the order of `units`.
    CheckFiles::Value files;
    std::vector<std::string> findings;  ///< "UNIT: FINDING": what is worth a look, and no refusal.

    /// Those that are passed over stay here only as what was found about them.
    void take_units(InspectUnits::Value inspected);

    /// Nor those whose connector says that it serves another tunnel.
    void leave_out_other_tunnels(const std::string& wanted);
};

/// Judges the facts: problems, each a sentence with its remedy, or none. `accept_gap` is the
/// operator's word that traffic may stop for a moment; `scheduled` refuses to start on a clock that
/// disagrees with the API's. Pure.
[[nodiscard]] std::vector<std::string> judge_preflight(const TunnelPolicy& policy, bool accept_gap,
                                                       bool scheduled, const PreflightFacts& facts);

/// The connectors that are none of these units. Pure.
[[nodiscard]] std::vector<Connector> foreign_connectors(const std::vector<Connector>& connectors,
                                                        const SampleUnits::Value& samples);

/// Whether it can be told which connector is this unit's: it says so, or has none. Pure.
[[nodiscard]] bool tells_its_connector(const SampleUnits::Sample& sample);

/// Whether a cloudflared of this version ("2024.12.2") does not know --token-file yet. Pure.
[[nodiscard]] bool lacks_token_file(std::string_view version);

/// "connector ID from ADDRESS since TIME", for people.
[[nodiscard]] std::string describe(const Connector& connector);

/// The units in the order of the roll-out. Pure.
[[nodiscard]] std::vector<UnitProgress> plan_units(const TunnelPolicy& policy,
                                                   const PreflightFacts& facts);

/// A wall clock this far from the API's is wrong.
inline constexpr std::chrono::minutes clock_error_max{5};

}  // namespace keyturn
