#pragma once

#include "policy/policy.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// Which tunnel of the policy claims which unit. A policy in which two tunnels name the same unit
/// is refused, but only systemd knows the aliases of a unit and the units that match a glob.
class UnitClaims {
  public:
    struct Claim {
        std::string tunnel;
        std::string words;  ///< The name or glob with which it claims the unit.
    };

    /// Replaces all claims with those of `tunnels`.
    void take(const std::vector<TunnelPolicy>& tunnels);

    /// How another tunnel claims the unit with this Id, by any of its `names`; nothing if none
    /// does.
    [[nodiscard]] std::optional<Claim> of_another(const std::string& tunnel, const std::string& id,
                                                  const std::vector<std::string>& names) const;

  private:
    std::multimap<std::string, std::string> names_;           ///< Name -> tunnel.
    std::vector<std::pair<std::string, std::string>> globs_;  ///< Glob, tunnel.
};

}  // namespace keyturn
