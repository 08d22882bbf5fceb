#pragma once

#include "doctor/facts.hpp"
#include "setup/connector_survey.hpp"

#include <map>
#include <string>
#include <vector>

namespace keyturn {

class Foreground;
class ServiceLook;

/// Looks at the units of a survey: their settings, processes and files. Asks each connector for its
/// /ready, where keyturnd asks it: `metrics_addresses` are those of the policy, by unit.
/// `planned_for` stays empty.
[[nodiscard]] std::vector<UnitSeen> look_at_units(
    Foreground& host, ServiceLook& services, std::vector<SurveyedUnit>& units,
    const std::map<std::string, std::string>& metrics_addresses);

/// The files without which the unit cannot start, and that do not exist below `root`.
[[nodiscard]] std::vector<LostFile> lost_files_of(const UnitSettings& settings,
                                                  const std::string& root = {});

/// Why root's attestation of the unit below `root` does not count any more, or is missing where
/// keyturnd needs it; empty if all is fine.
[[nodiscard]] std::string attestation_problem_of(const UnitSettings& settings,
                                                 const std::string& root = {});

/// The files of the unit with a tunnel token that others than their owner can read.
[[nodiscard]] std::vector<ExposedFile> exposed_files_of(const UnitSettings& settings,
                                                        const ConnectorFiles& files,
                                                        const std::string& tunnel);

}  // namespace keyturn
