#pragma once

#include "fleet/document.hpp"
#include "fleet/times.hpp"
#include "fleet/transitions.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// Watches whether the lead of an open rotation still works, by what this host sees in the object
/// and by its own clock alone.
class TakeOverWatch {
  public:
    explicit TakeOverWatch(FleetTimes times) : times_(times) {}

    /// Takes a good look at the object that was sent at `now`.
    void look(const FleetDocument& document, BootTime now);

    /// What this host may take over now; nothing if the lead works, as far as this host can know.
    [[nodiscard]] std::optional<SilentLead> overdue(const std::string& host, BootTime now) const;

    /// Since when the object is as it was seen last.
    [[nodiscard]] BootTime unchanged_since() const { return unchanged_since_; }

  private:
    FleetTimes times_;
    std::optional<FleetDocument> seen_;
    BootTime unchanged_since_{};
    BootTime looked_{};
};

/// How many hosts come before this one when the lead is gone, or a rotation is due.
[[nodiscard]] int rank_of(const FleetDocument& document, const std::string& host);

}  // namespace keyturn
