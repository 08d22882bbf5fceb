#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "time/moment.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// How the units of an idle tunnel were when they were last looked at. Pure.
class SeenUnits {
  public:
    void note(const SampleUnits::Value& samples, BootTime now);

    /// It is up, has no connection, and either had one at the last look or is another process than
    /// then. Often the first sign of a token that was changed.
    [[nodiscard]] bool lost(const SampleUnits::Sample& sample) const;

    /// Since when the unit of these that has been idle the longest has had no connection.
    [[nodiscard]] std::optional<BootTime> idle_since(const std::vector<UnitStart>& starts) const;

  private:
    struct Seen {
        std::string invocation;
        bool served = false;
        std::optional<BootTime> idle_since;  ///< Up, asked, and without a connection.
    };

    std::map<std::string, Seen> seen_;  ///< By unit.
};

}  // namespace keyturn
