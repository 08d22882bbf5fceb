#pragma once

#include "simulation/fleet/fleet_model.hpp"

#include <vector>

namespace keyturn::fleet_simulation {

/// What goes wrong from time to time, while the storm lasts.
class Trouble {
  public:
    explicit Trouble(FleetModel& fleet) : fleet_(fleet), world_(fleet.world) {}

    /// Draws what can go wrong in this run and how often, and lets it begin.
    void begin();
    /// Everything works again; what is lost stays lost.
    void end();

  private:
    using Kind = void (Trouble::*)();

    void strike();
    void kill();
    void stop();
    void cut_store();
    void cut_cloud();
    void cut_both();
    void store_down();
    void cloud_down();
    void crash_unit();
    void decay();
    void break_unit();
    void cut_power();
    void cut_all_power();
    void lose_host();
    void old_disk();
    void clone();
    void tamper();
    void foreign_rotation();
    void evict();

    [[nodiscard]] UnitModel& any_unit();
    void cut(Server server, Host& host);
    [[nodiscard]] Milliseconds outage();
    void reboot(Host& host);
    [[nodiscard]] std::string tampered_text();

    FleetModel& fleet_;
    World& world_;
    std::vector<Kind> kinds_;
    Milliseconds interval_{0};
    bool lost_one_ = false;
    int old_disks_ = 0;  ///< Hosts that will come back with one.
    std::vector<std::string> old_texts_;
    std::map<std::string, Disk> backups_;
};

}  // namespace keyturn::fleet_simulation
