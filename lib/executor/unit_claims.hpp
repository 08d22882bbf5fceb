#pragma once

#include "policy/policy.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// Which tunnel of the policy means which unit. A policy in which two tunnels name one unit is
/// refused; but only systemd knows whose alias a name is, and which units a glob stands for.
class UnitClaims {
  public:
    struct Claim {
        std::string tunnel;
        std::string words;  ///< The name or glob by which it means the unit.
    };

    /// From now on these are all tunnels.
    void take(const std::vector<TunnelPolicy>& tunnels);

    /// How a tunnel other than this one means the unit of this Id, by any of its `names`.
    [[nodiscard]] std::optional<Claim> of_another(const std::string& tunnel, const std::string& id,
                                                  const std::vector<std::string>& names) const;

  private:
    std::multimap<std::string, std::string> names_;           ///< Name -> tunnel.
    std::vector<std::pair<std::string, std::string>> globs_;  ///< Glob, tunnel.
};

}  // namespace keyturn
