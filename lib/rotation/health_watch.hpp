#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "time/moment.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// The result of one check of all units during a soak.
struct HealthFinding {
    struct Failure {
        std::string unit;
        std::string text;
    };
    std::optional<Failure> failure;       ///< A restarted unit failed, so the rotation is held.
    std::optional<std::string> replaced;  ///< A restarted unit runs as another process.
    std::optional<std::string> unknown;   ///< Why a restarted unit could not be checked.
    bool disturbed = false;               ///< Not everything was healthy; the soak starts over.
    struct Decay {
        std::string unit;
        int connections = 0;
        int baseline = 0;
    };
    std::vector<Decay> decays;  ///< Units on the old token that have lost connections.
    struct Promotion {
        std::string unit;
        std::string why;  ///< "has lost half of its connections"
    };
    std::optional<Promotion> promoted;  ///< A unit on the old token that must restart next.
};

/// Watches restarted and waiting units during a soak. A restarted unit must stay up, may lack
/// connections for at most `lack_max`, and must be verified again if its process was replaced (by a
/// reboot or an updater). A unit on the old token cannot get a lost connection back, so each loss
/// is reported. It is promoted if it has no connection left in two checks `lost_max` apart while a
/// unit on the new token serves, or if it is down to half of its baseline for `decay_max`: a
/// restart then costs less than it has already lost. If no unit serves, the network is down and a
/// restart helps nobody. A unit that systemd has started again as another process is also promoted,
/// so that it is verified. A check without a result only makes the soak start over. Pure: the
/// caller passes the time.
class HealthWatch {
  public:
    [[nodiscard]] HealthFinding look(const RotationRecord& record,
                                     const SampleUnits::Value& samples, BootTime now);

    /// Nothing could be seen for a while, so durations count from the next check. The loss of all
    /// connections is an exception: two checks are enough for it, however far apart.
    void begin_anew();

    /// cloudflared with a valid token reconnects automatically within seconds.
    static constexpr Milliseconds lack_max = std::chrono::seconds{30};
    static constexpr Milliseconds decay_max = std::chrono::seconds{30};
    static constexpr Milliseconds lost_max = std::chrono::seconds{2};

  private:
    void look_at_restarted(const UnitProgress& unit, const SampleUnits::Sample& sample,
                           BootTime now, HealthFinding& finding);
    void look_at_waiting(const UnitProgress& unit, const SampleUnits::Sample& sample, bool decays,
                         BootTime now, HealthFinding& finding);
    void forget(const std::string& unit);

    bool new_token_serves_ = false;  ///< In the current check.
    std::map<std::string, BootTime> lacking_since_;
    std::map<std::string, BootTime> halved_since_;
    std::map<std::string, BootTime> lost_since_;
    std::map<std::string, int> lowest_;
};

}  // namespace keyturn
