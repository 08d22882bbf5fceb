#pragma once

#include "base/error.hpp"
#include "policy/policy.hpp"
#include "time/moment.hpp"

#include <optional>

namespace keyturn {

/// When an idle tunnel is checked next: at Cloudflare, and on this host alone. Pure: it is told the
/// time.
class LookTimes {
  public:
    /// `policy` outlives it.
    explicit LookTimes(const DriftPolicy& policy) : policy_(policy) {}

    /// The first look is due at once.
    [[nodiscard]] BootTime cloudflare() const { return cloudflare_.value_or(BootTime{}); }
    [[nodiscard]] BootTime units() const { return units_.value_or(cloudflare()); }

    /// The budget of API calls allows no look before then.
    void wait_for_slot(BootTime slot) { cloudflare_ = slot; }

    void begin_look(BootTime now);
    void begin_units_look(BootTime now);

    /// A look that failed is repeated after 1, 2, 4 ... minutes, at most one `drift.interval`
    /// later, and no sooner than Cloudflare asks for.
    void failed(const Error& error, BootTime now);
    void succeeded() { failures_ = 0; }

    /// A rotation has just seen everything.
    void looked(BootTime now) { cloudflare_ = now + policy_.interval; }

    /// Something has changed on this host: ask Cloudflare now, but at most once a minute.
    void look_soon(BootTime now);

    /// What was found may pass: look once more in `pause`.
    void look_again(BootTime now, Milliseconds pause = std::chrono::minutes{1});

    /// A job of a unit has ended. True where the next look at the units comes sooner for it.
    [[nodiscard]] bool unit_job_ended(BootTime now);

  private:
    const DriftPolicy& policy_;
    std::optional<BootTime> cloudflare_;
    std::optional<BootTime> units_;
    std::optional<BootTime> out_of_turn_;  ///< The last look that was not simply due.
    int failures_ = 0;                     ///< In a row.
};

/// How long after a job of a unit it is looked at: by then the job has had an effect.
inline constexpr std::chrono::seconds job_pause{2};

}  // namespace keyturn
