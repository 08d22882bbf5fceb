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
    std::optional<std::string> unknown;   ///< Why a restarted unit could not be looked at.
    bool disturbed = false;               ///< Not everything was healthy: the soak begins anew.
    struct Decay {
        std::string unit;
        int connections = 0;
        int baseline = 0;
    };
    std::vector<Decay> decays;  ///< Units on the old token that lost connections meanwhile.
    struct Promotion {
        std::string unit;
        std::string why;  ///< "has lost half of its connections"
    };
    std::optional<Promotion> promoted;  ///< A unit on the old token that has to go next.
};

/// Watches restarted and waiting units over a soak. A restarted unit has to stay up, may lack
/// connections for `lack_max` at most, and has to be proven again when its process was replaced (a
/// reboot, an updater). A unit on the old token cannot get a lost connection back: that is told.
/// One that has none left in two looks `lost_max` apart while a unit on the new token serves, or
/// that is down to half of its baseline for `decay_max`, is promoted, because restarting it costs
/// less than it has already lost; where nobody serves, the network is down, and a restart helps
/// nobody. So is one that systemd has brought back as another process: it is to be proven. From a
/// look that told nothing follows nothing but a soak that begins anew. Pure: time comes in.
class HealthWatch {
  public:
    [[nodiscard]] HealthFinding look(const RotationRecord& record,
                                     const SampleUnits::Value& samples, BootTime now);

    /// Nothing could be seen for a while: how long something has been so counts from the next look.
    /// Who had lost everything, and still has nothing, is told by two looks however far apart.
    void begin_anew();

    /// cloudflared with a right token reconnects by itself within seconds.
    static constexpr Milliseconds lack_max = std::chrono::seconds{30};
    static constexpr Milliseconds decay_max = std::chrono::seconds{30};
    static constexpr Milliseconds lost_max = std::chrono::seconds{2};

  private:
    void look_at_restarted(const UnitProgress& unit, const SampleUnits::Sample& sample,
                           BootTime now, HealthFinding& finding);
    void look_at_waiting(const UnitProgress& unit, const SampleUnits::Sample& sample, BootTime now,
                         HealthFinding& finding);
    void forget(const std::string& unit);

    bool new_token_serves_ = false;  ///< In the look under way.
    std::map<std::string, BootTime> lacking_since_;
    std::map<std::string, BootTime> halved_since_;
    std::map<std::string, BootTime> lost_since_;
    std::map<std::string, int> lowest_;
};

}  // namespace keyturn
