#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "time/moment.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What one look at all units told during a soak.
struct HealthFinding {
    struct Failure {
        std::string unit;
        std::string text;
    };
    std::optional<Failure> failure;       ///< A restarted unit failed: hold.
    std::optional<std::string> replaced;  ///< A restarted unit runs as another process.
    bool disturbed = false;               ///< Not everything was healthy: the soak begins anew.
    struct Decay {
        std::string unit;
        int connections = 0;
        int baseline = 0;
    };
    std::vector<Decay> decays;  ///< Units on the old token that lost connections meanwhile.
    std::optional<std::string> promoted;  ///< A unit on the old token that has to go next.
};

/// Watches restarted and waiting units over a soak. A restarted unit has to stay up, may lack
/// connections for `lack_max` at most, and has to be proven again when its process was replaced (a
/// reboot, an updater). A unit on the old token cannot get a lost
/// connection back: that is told, and one that is down to half of its baseline for `decay_max` is
/// promoted, because restarting it costs less than it has already lost. Pure: time comes in.
class HealthWatch {
  public:
    [[nodiscard]] HealthFinding look(const RotationRecord& record,
                                     const SampleUnits::Value& samples, BootTime now);

    /// cloudflared with a right token reconnects by itself within seconds.
    static constexpr Milliseconds lack_max = std::chrono::seconds{30};
    static constexpr Milliseconds decay_max = std::chrono::seconds{30};

  private:
    void look_at_restarted(const UnitProgress& unit, const SampleUnits::Sample& sample,
                           BootTime now, HealthFinding& finding);
    void look_at_waiting(const UnitProgress& unit, const SampleUnits::Sample& sample, BootTime now,
                         HealthFinding& finding);

    std::map<std::string, BootTime> lacking_since_;
    std::map<std::string, BootTime> halved_since_;
    std::map<std::string, int> lowest_;
};

}  // namespace keyturn
