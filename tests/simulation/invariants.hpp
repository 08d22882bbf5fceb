#pragma once

#include "journal/event.hpp"
#include "policy/policy.hpp"
#include "rotation/rotation.hpp"
#include "simulation/disk_model.hpp"
#include "simulation/unit_model.hpp"

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// The name of the surge unit. It is short, like all names here.
[[nodiscard]] inline std::string surge_name(const TunnelPolicy& policy) {
    return policy.name + "-surge";
}

/// An invariant of keyturn is broken. `what()` says which one, and what was seen.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Watches one tunnel from outside, with full knowledge of the truth, and throws `Violation`. It
/// shares nothing with the heart except the types of its records and events.
class Invariants {
  public:
    Invariants(const TunnelPolicy& policy, const CloudModel& cloud, const DiskModel& disk,
               const std::vector<UnitModel>& units)
        : policy_(policy), cloud_(cloud), disk_(disk), units_(units) {}

    /// keyturnd begins a rotation with nothing on the disk.
    void rotation_begins(bool accept_gap);

    /// Root has moved units, and keyturnd has to prove it.
    void move_begins(bool accept_gap, BootTime now);

    /// keyturnd writes the end of a rotation.
    void concludes(const HistoryEntry& entry) const;

    /// The token is compromised: the existing secrets must not be sent any more.
    void compromise_begins();

    /// The API has shown this secret to keyturnd.
    void token_told(SecretId secret) { told_ = secret; }

    /// keyturnd sends this secret to the API now.
    void secret_sent(SecretId secret);

    /// keyturnd restarts this unit now.
    void unit_restarts(const UnitModel& unit, BootTime now);

    /// systemd has accepted that.
    void restart_begun(const UnitModel& unit) { restarted_.insert(unit.name()); }

    /// keyturnd stops this unit now.
    void unit_stops(const UnitModel& unit, BootTime now);

    /// keyturnd has Cloudflare drop this connector, or all ("").
    void connector_evicted(const std::string& connector);

    /// keyturnd wipes the kept secrets.
    void secrets_forgotten();

    void event_told(const Event& event, BootTime now);

    /// An operator lifted the hold.
    void retried();

    /// An operator called the rotation off.
    void called_off(BootTime now) {
        held_unit_.reset();
        called_off_at_ = now;
    }

    /// keyturnd is gone. If it could not write a hold, the next keyturnd finds the cause again, if
    /// it is still there.
    void daemon_gone();

    /// A call by keyturnd has failed, so it waits for that and not because of the heart.
    void call_failed() { call_failed_ = true; }

    /// The API was asked for its connectors; the units were checked.
    void connectors_listed(BootTime now) { listed_ = now; }
    void units_looked_at(BootTime now) {
        constexpr std::chrono::seconds counts_as_new{10};  // The same value as in the heart.
        list_is_older_ = listed_ < now && now - listed_ <= counts_as_new;
    }

    /// systemd and polkit were asked about the units.
    void units_inspected(const InspectUnits::Value& units);

    /// The API was asked whose token it has, with or without an answer.
    void token_asked() { unnoticed_ = Milliseconds{0}; }

    /// Somebody else has changed the token file, which contained this token.
    void file_changed(SecretId before);

    /// keyturnd has checked the token file.
    void file_seen(BootTime now);

    /// keyturnd has written the token file.
    void file_written() { file_change_.reset(); }

    /// A person has lost what was on the disk, or restored an earlier copy.
    void state_lost();

    void record_written();

    /// The heart wants nothing for this long.
    void waits(const Rotation& rotation, Milliseconds duration, BootTime now);

    /// Called after everything that changes the world.
    void after_effect();

    /// Called once nothing has gone wrong for a long time.
    void converged() const;

  private:
    void check_soak(const UnitProgress& unit, BootTime now) const;
    void check_chapters(const Event& event) const;
    void check_sight(const Event& event) const;
    void check_sight_of_hold(const Event& event) const;
    void check_came_back(const UnitModel& unit, BootTime now) const;
    void check_loop(const UnitModel& unit);
    [[nodiscard]] const UnitModel* find(const std::string& name) const;
    [[nodiscard]] int count_not_idle(const std::string& except) const;
    void check_connector(const std::string& connector) const;
    void check_locked_out(const Rotation& rotation, Milliseconds duration, BootTime now);
    void check_dropped() const;
    void check_stranger(Milliseconds duration, BootTime now);
    void check_lost(const RotationRecord& record, Milliseconds duration);
    void check_capacity(const UnitModel& unit, BootTime now) const;
    void check_restart_happens_once(const UnitProgress& progress, const UnitModel& unit,
                                    BootTime now) const;
    [[nodiscard]] bool delivers_only() const;
    [[noreturn]] void broken(const char* invariant, std::string text) const;

    const TunnelPolicy& policy_;
    const CloudModel& cloud_;
    const DiskModel& disk_;
    const std::vector<UnitModel>& units_;
    SecretId told_ = 0;
    std::set<SecretId> sent_;    ///< In this rotation.
    std::set<SecretId> made_;    ///< In all rotations since somebody else's was taken over.
    std::set<SecretId> leaked_;  ///< Before the last compromise.
    SecretId last_sent_ = 0;
    BootTime moved_at_{};                   ///< When root moved units.
    BootTime called_off_at_{};              ///< When root had moved them back, if it did.
    std::set<std::string> restarted_;       ///< Since root moved units.
    SecretId before_ = 0;                   ///< The secret that the first of them replaced.
    std::optional<std::string> held_unit_;  ///< Of a hold that nobody has lifted.
    std::map<std::string, BootTime> verified_at_;
    std::set<std::string> promoted_;
    std::map<std::string, std::string> noted_;  ///< Waiting units: processes on an older token.
    std::map<std::string, int> restarts_;       ///< Since keyturnd started or a person intervened.
    std::map<std::string, Milliseconds> lost_;  ///< How long in a soak a unit had no connection.
    Milliseconds unnoticed_{0};      ///< How long in a soak the API has shown another token.
    Milliseconds attached_{0};       ///< How long a stranger was connected without an obstacle.
    bool call_failed_ = false;       ///< Since the heart last wanted nothing for a while.
    std::set<std::string> dropped_;  ///< Connectors in this compromise; "" stands for all.
    BootTime listed_{};
    bool list_is_older_ = false;  ///< Older than the check of the units that followed it.
    bool restored_ = false;       ///< The record may be from an earlier rotation.
    struct FileChange {
        SecretId before = 0;  ///< What keyturnd had written.
        bool seen = false;    ///< keyturnd has seen it.
    };
    std::optional<FileChange> file_change_;  ///< By somebody else, and not corrected yet.
    BootTime file_seen_{};
    bool allowed_ = true;  ///< By polkit, as far as keyturnd knows.
    bool accept_gap_ = false;
    bool retried_ = false;  ///< An operator retried during this rotation.
};

}  // namespace keyturn::simulation
