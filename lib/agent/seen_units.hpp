#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "time/moment.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// Remembers the units of an idle tunnel as they were at the last check. Pure.
class SeenUnits {
  public:
    void note(const SampleUnits::Value& samples, BootTime now);

    /// Returns true if the unit is up without a connection, and either had one at the last check or
    /// has a new process since then. This is often the first sign of a changed token.
    [[nodiscard]] bool lost(const SampleUnits::Sample& sample) const;

    /// Returns since when the longest idle of these units has had no connection.
    [[nodiscard]] std::optional<BootTime> idle_since(const std::vector<UnitStart>& starts) const;

  private:
    struct Seen {
        std::string invocation;
        bool served = false;
        std::optional<BootTime> idle_since;  ///< Up and answering, but without a connection.
    };

    std::map<std::string, Seen> seen_;  ///< By unit.
};

}  // namespace keyturn
