#pragma once

#include "policy/policy.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// Everything that is checked before anything is changed.
struct PreflightFacts {
    InspectTunnel::Value tunnel;
    ReadToken::Value token;
    std::vector<Connector> connectors;
    InspectUnits::Value units;   ///< Without units that are left out.
    SampleUnits::Value samples;  ///< In the order of `units`.
    CheckFiles::Value files;
    std::vector<std::string> findings;  ///< "UNIT: FINDING": worth a check, but no refusal.

    /// Takes the units. Of those that are left out, only the findings are kept.
    void take_units(InspectUnits::Value inspected);

    /// Leaves out units whose connector reports another tunnel.
    void leave_out_other_tunnels(const std::string& wanted);
};

/// Judges the facts. Returns problems, each a sentence that says what to do, or none. `accept_gap`
/// means that an operator allows traffic to stop for a moment. `scheduled` refuses to start if the
/// clock disagrees with the API's. Pure.
[[nodiscard]] std::vector<std::string> judge_preflight(const TunnelPolicy& policy, bool accept_gap,
                                                       bool scheduled, const PreflightFacts& facts);

/// The connectors that belong to none of these units. Pure.
[[nodiscard]] std::vector<Connector> foreign_connectors(const std::vector<Connector>& connectors,
                                                        const SampleUnits::Value& samples);

/// True if it is known which connector is this unit's: it reports one, or has none. Pure.
[[nodiscard]] bool tells_its_connector(const SampleUnits::Sample& sample);

/// True if a cloudflared of this version ("2024.12.2") has no --token-file, which came with
/// 2025.4.0 (its release notes). Pure.
[[nodiscard]] bool lacks_token_file(std::string_view version);

/// "; noted: FINDING; FINDING", or nothing.
[[nodiscard]] std::string noted_text(const std::vector<std::string>& findings);

/// "connector ID from ADDRESS since TIME", for people.
[[nodiscard]] std::string describe(const Connector& connector);

/// The units in the order of the roll-out. Pure.
[[nodiscard]] std::vector<UnitProgress> plan_units(const TunnelPolicy& policy,
                                                   const PreflightFacts& facts);

/// A wall clock that differs from the API's by more than this is wrong.
inline constexpr std::chrono::minutes clock_error_max{5};

}  // namespace keyturn
