#pragma once

#include "asio/task.hpp"
#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"
#include "setup/process_token.hpp"
#include "token/token.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class UnitManager;

/// A unit that runs a connector.
struct SurveyedUnit {
    UnitSettings settings;
    UnitState state;
    ConnectorFiles files;
    ProcessToken running;  ///< What its process was started with.
    std::string obstacle;  ///< Why it cannot be brought in, and what to do; empty if it can.

    [[nodiscard]] const std::string& name() const { return settings.name; }
};

struct Survey {
    std::vector<SurveyedUnit> units;  ///< In natural order.
    /// Connectors that no unit of the system manager runs: each a clause with the reason why
    /// keyturn cannot manage it.
    std::vector<std::string> elsewhere;
};

/// Looks for the connectors of this host. Faults as `UnitManager`. Needs root.
[[nodiscard]] Task<Result<Survey>> survey_connectors(UnitManager& units);

/// The token that the next start of a unit finds through keyturn's drop-in; nothing if it has none.
/// A run that was interrupted may have taken the token out of the unit's config.yml already, where
/// the running process has found it. Needs root.
[[nodiscard]] std::optional<TunnelToken> token_of_next_start(const UnitSettings& settings,
                                                             const ConnectorFiles& files);

/// Why root cannot bring a unit in without a person's help; nothing if it can. Pure.
[[nodiscard]] std::string obstacle_of(const SurveyedUnit& unit);

/// "user 1000's own systemd" for a control group, as far as its path tells. Pure.
[[nodiscard]] std::string place_of_control_group(const std::string& control_group);

}  // namespace keyturn
