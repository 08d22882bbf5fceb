#pragma once

#include "simulation/fleet/cloud_model.hpp"
#include "simulation/fleet/host.hpp"
#include "simulation/fleet/invariants.hpp"
#include "simulation/fleet/store_model.hpp"
#include "simulation/fleet/world.hpp"

#include <memory>
#include <string>
#include <vector>

namespace keyturn::fleet_simulation {

/// The hosts of one tunnel and all around them.
class FleetModel {
  public:
    FleetModel(std::uint64_t seed, Seen& seen, const Tell& tell);

    /// Draws the hosts, makes the object and starts everything.
    void set_up();

    [[nodiscard]] Host& any_host() {
        return *hosts.at(
            static_cast<std::size_t>(world.dice.between(0, static_cast<int>(hosts.size()) - 1)));
    }
    [[nodiscard]] std::vector<Host*> living();
    /// Nothing: no keyturnd runs that could take an order.
    [[nodiscard]] Host* any_living();
    [[nodiscard]] Host* named(const std::string& host);

    World world;
    std::string keys;
    FleetKeys read_keys;
    StoreModel store;
    CloudModel cloud;
    Invariants invariants;
    std::vector<std::unique_ptr<Host>> hosts;
    std::unique_ptr<Host> clone;  ///< Of one of them.
    Host* cloned = nullptr;

  private:
    void make_one_strict(FleetDocument& document);
    void stop_who_takes(const Host* by, const FleetDocument& document);
};

}  // namespace keyturn::fleet_simulation
