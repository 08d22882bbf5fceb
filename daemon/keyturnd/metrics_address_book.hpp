#pragma once

#include "asio/task.hpp"
#include "policy/policy.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class UnitManager;

/// Where units are asked whose sockets this host does not see.
class MetricsAddressBook {
  public:
    /// `units` outlives this.
    explicit MetricsAddressBook(UnitManager& units) : units_(units) {}

    /// The new addresses apply at once, even to an open rotation: a wrong one can be corrected. The
    /// tunnels in `staying` have left the policy with an open rotation, and keep theirs.
    void take(const Policy& policy, const std::vector<std::string>& staying);

    /// The address that `--metrics` fixes in the unit.
    Task<std::optional<std::string>> fixed(std::string unit);

    /// The address that the policy says. It may name the unit by an alias.
    Task<std::optional<std::string>> published(std::string unit);

  private:
    [[nodiscard]] std::optional<std::string> in_policy(const std::string& unit) const;

    UnitManager& units_;
    /// By tunnel and unit.
    std::map<std::string, std::map<std::string, std::string>> addresses_;
};

}  // namespace keyturn
