#pragma once

#include "cloudflared/connectors.hpp"
#include "units/unit_manager.hpp"

#include <string>
#include <vector>

namespace keyturn::fleet_simulation {

class Host;

/// systemd and the connectors of one host, as its keyturnd sees them.
class LocalUnits final : public UnitManager, public Connectors {
  public:
    explicit LocalUnits(Host& host) : host_(host) {}

    Task<Result<std::vector<NamedUnit>>> expand(std::vector<std::string> patterns) override;
    Task<Result<UnitState>> state(std::string unit) override;
    Task<Result<UnitSettings>> settings(std::string unit) override;
    Task<Result<Permission>> may(std::string unit, UnitVerb verb) override;
    Task<Result<RestartResult>> restart(std::string unit, RestartVerb verb,
                                        Milliseconds deadline) override;
    Task<Result<JobResult>> stop(std::string unit, Milliseconds deadline) override;
    Task<Result<Readiness>> readiness(UnitState unit) override;
    ConnectorFiles files(const UnitSettings& settings) override;

  private:
    Host& host_;
};

}  // namespace keyturn::fleet_simulation
