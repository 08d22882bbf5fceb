#pragma once

#include "journal/event.hpp"
#include "policy/policy.hpp"
#include "rotation/record.hpp"
#include "schedule/due.hpp"
#include "time/moment.hpp"
#include "wire/tunnel_plan.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// When a tunnel is rotated without anybody asking, and what is told of that. lib/schedule says
/// when; this keeps what it says up to date. Pure: it is told the time.
class StartPlanner {
  public:
    /// `policy` outlives it. `splay_share` is the tunnel's place in the splay, see splay.hpp.
    StartPlanner(const TunnelPolicy& policy, double splay_share);

    /// The last rotations, oldest first; at least one.
    void recall(const std::vector<HistoryEntry>& history);

    /// Looks at the clock. To be called before anything that is asked below.
    void look(const TunnelState& state, std::size_t units, WallTime now, BootTime boot_now);

    /// No start for this long, whatever is done to the wall clock.
    void postpone(Milliseconds pause, WallTime now, BootTime boot_now);
    void end_postponement() { postponed_.reset(); }

    /// The next scheduled start; nothing for a tunnel that is rotated on demand only.
    [[nodiscard]] const std::optional<Due>& next() const { return next_; }
    [[nodiscard]] std::optional<WallTime> start() const;

    /// When there is something to do or to tell: the start, or before it the moment from which on
    /// the tunnel is due and waits.
    [[nodiscard]] std::optional<BootTime> wake_up(WallTime now, BootTime boot_now) const;

    /// Why a tunnel that is due is not started; nothing while that has been told.
    [[nodiscard]] std::optional<Event> take_postponement(WallTime now);

    /// The next `count` starts.
    [[nodiscard]] TunnelPlan plan(const TunnelState& state, const std::vector<std::string>& units,
                                  WallTime now, std::size_t count) const;

  private:
    /// What `next_` was found with.
    struct Asked {
        TokenAge age;
        StartPlan plan;
        WallTime at;
    };

    struct Postponement {
        WallTime until;
        BootTime ends;  ///< The same moment.
    };

    [[nodiscard]] TokenAge age_of(const TunnelState& state) const;
    [[nodiscard]] StartPlan start_plan(std::size_t units) const;
    [[nodiscard]] std::string freeze_before(const Due& next) const;
    [[nodiscard]] std::string describe_wait() const;

    const TunnelPolicy& policy_;
    double splay_share_;
    std::optional<Milliseconds> usual_;  ///< What the last rotations took, where there were some.
    std::optional<WallTime> reverted_;   ///< When the last rotation was called off, if it was.
    std::optional<Asked> asked_;
    std::optional<Due> next_;
    std::optional<Postponement> postponed_;
    std::optional<StartCause> told_;  ///< Why it waits, as last told.
};

}  // namespace keyturn
