#pragma once

#include "simulation/fleet/fleet_model.hpp"

#include <map>
#include <string>

namespace keyturn::fleet_simulation {

/// The administrators: they order rotations, read why one is held, and do what it says.
class People {
  public:
    explicit People(FleetModel& fleet) : fleet_(fleet), world_(fleet.world) {}

    void begin();
    /// Orders a rotation on any host. False: no host takes it.
    bool order_rotation(bool compromised);
    void pause_for(Milliseconds time);
    void ask_to_revert();

    [[nodiscard]] int retries() const { return retries_; }
    [[nodiscard]] const std::string& last_hold() const { return last_hold_; }

  private:
    void look();
    void look_at_hold(const Hold& hold);
    void look_for_lost_hosts();
    void look_for_clashes();
    void rejoin(Host& host);
    void decommission(Host& host);
    bool decide(Decision decision);

    FleetModel& fleet_;
    World& world_;
    std::map<std::string, BootTime> noticed_;  ///< When a person saw that a host is lost.
    std::optional<BootTime> held_since_;
    std::optional<BootTime> clash_since_;
    int retries_ = 0;
    std::string last_hold_;
};

}  // namespace keyturn::fleet_simulation
