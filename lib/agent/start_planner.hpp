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

/// Plans the scheduled rotations of a tunnel and reports delays. lib/schedule computes the start;
/// the planner keeps it up to date. Pure: the caller passes the time.
class StartPlanner {
  public:
    /// `policy` must outlive the planner. `splay_share` is the tunnel's place in the splay; see
    /// splay.hpp.
    StartPlanner(const TunnelPolicy& policy, double splay_share);

    /// Learns from the last rotations: at least one, oldest first.
    void recall(const std::vector<HistoryEntry>& history);

    /// Updates the plan. Call it before any of the functions below.
    void look(const TunnelState& state, std::size_t units, WallTime now, BootTime boot_now);

    /// Allows no start for this long, even if somebody sets the wall clock.
    void postpone(Milliseconds pause, WallTime now, BootTime boot_now);
    void end_postponement() { postponed_.reset(); }

    /// The next scheduled start; empty if the tunnel is rotated on demand only.
    [[nodiscard]] const std::optional<Due>& next() const { return next_; }
    [[nodiscard]] std::optional<WallTime> start() const;

    /// Returns when there is something to do or to report: the start or, before it, the moment when
    /// the tunnel becomes due and waits.
    [[nodiscard]] std::optional<BootTime> wake_up(WallTime now, BootTime boot_now) const;

    /// Returns the event that says why a due rotation does not start; empty if that was already
    /// reported.
    [[nodiscard]] std::optional<Event> take_postponement(WallTime now);

    /// Returns the next `count` starts.
    [[nodiscard]] TunnelPlan plan(const TunnelState& state, const std::vector<std::string>& units,
                                  WallTime now, std::size_t count) const;

  private:
    /// The inputs from which `next_` was computed.
    struct Asked {
        TokenAge age;
        StartPlan plan;
        WallTime at;
    };

    struct Postponement {
        WallTime until;
        BootTime ends;  ///< The same moment on the clock that nobody can set.
    };

    [[nodiscard]] TokenAge age_of(const TunnelState& state) const;
    [[nodiscard]] StartPlan start_plan(std::size_t units) const;
    [[nodiscard]] std::string freeze_before(const Due& next) const;
    [[nodiscard]] std::string describe_wait() const;

    const TunnelPolicy& policy_;
    double splay_share_;
    std::optional<Milliseconds> usual_;  ///< Median duration of the last rotations, if any.
    std::optional<WallTime> reverted_;   ///< When the last rotation ended, if it was reverted.
    std::optional<Asked> asked_;
    std::optional<Due> next_;
    std::optional<Postponement> postponed_;
    std::optional<StartCause> told_;  ///< The last reported reason for waiting.
};

}  // namespace keyturn
