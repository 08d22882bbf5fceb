#pragma once

#include "fleet/document.hpp"
#include "journal/event.hpp"
#include "simulation/fleet/world.hpp"
#include "token/token.hpp"

#include <map>
#include <set>
#include <string>

namespace keyturn::fleet_simulation {

class CloudModel;
class Host;
class StoreModel;
class UnitModel;

/// What must never happen, checked after every effect with knowledge of the truth.
class Invariants {
  public:
    Invariants(World& world, StoreModel& store, CloudModel& cloud)
        : world_(world), store_(store), cloud_(cloud) {}

    void on_write(const Host* by, const FleetDocument& before, const FleetDocument& after);
    void on_secret_sent(Host& by, const Fingerprint& token);
    void on_delivery(const Host& on, const Fingerprint& before, const Fingerprint& token);
    void on_restart(const Host& on, UnitModel& unit);
    void on_units_changed();
    void on_event(const Host& on, const Event& event);

    /// A retired secret is at Cloudflare, and nobody has said so since.
    [[nodiscard]] bool retired_token_unnoticed() const;

    std::uint64_t concluded = 0;  ///< Rotations that have ended.
    std::uint64_t sent = 0;       ///< Secrets.

  private:
    void check_turns(const Host* by, const FleetDocument& before, const FleetDocument& after);
    void check_compromise(const FleetDocument& before, const FleetDocument& after);
    void check_members(const Host* by, const FleetDocument& before, const FleetDocument& after);
    void note_rotation(const FleetDocument& before, const FleetDocument& after);
    [[nodiscard]] bool lead_can_know() const;
    void check_staged(const FleetDocument& seen);
    void check_restarts_once(UnitModel& unit);
    void check_turn(const UnitModel& unit);
    void check_capacity(const UnitModel& unit);
    [[nodiscard]] bool is_replaced(const UnitModel& unit) const;
    void forget_restarts();
    void leave_to_people(const std::string& unit);

    World& world_;
    StoreModel& store_;
    CloudModel& cloud_;
    std::set<std::uint64_t> used_turns_;
    std::map<std::uint64_t, BootTime> taken_at_;
    std::map<WallTime, std::set<Fingerprint>> secrets_;  ///< By the start of the rotation.
    BootTime noticed_{};
};

}  // namespace keyturn::fleet_simulation
