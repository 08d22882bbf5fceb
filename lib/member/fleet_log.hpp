#pragma once

#include "fleet/fleet.hpp"
#include "journal/event_log.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace keyturn {

/// Adds to each event which host of the fleet tells it, and what that host knows of the object.
class FleetLog final : public EventLog {
  public:
    /// Both must outlive this.
    FleetLog(EventLog& log, std::string host, const Fleet& fleet)
        : log_(log), host_(std::move(host)), fleet_(fleet) {}

    void record(const Event& event) override {
        Event told = event;
        told.fleet_host = host_;
        if (const std::optional<FleetDocument>& seen = fleet_.seen()) {
            told.fleet_epoch = fmt::to_string(seen->epoch);
            told.fleet_rev = fmt::to_string(seen->rev);
        }
        log_.record(told);
    }

  private:
    EventLog& log_;
    std::string host_;
    const Fleet& fleet_;
};

}  // namespace keyturn
