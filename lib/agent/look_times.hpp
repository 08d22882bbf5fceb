#pragma once

#include "base/error.hpp"
#include "policy/policy.hpp"
#include "time/moment.hpp"

#include <optional>

namespace keyturn {

/// When the next checks of an idle tunnel are due: the full check with calls to Cloudflare, and the
/// check of the units on this host. Pure: the caller passes the time.
class LookTimes {
  public:
    /// `policy` must outlive it.
    explicit LookTimes(const DriftPolicy& policy) : policy_(policy) {}

    /// When the next full check is due. The first one is due at once.
    [[nodiscard]] BootTime cloudflare() const { return cloudflare_.value_or(BootTime{}); }
    [[nodiscard]] BootTime units() const { return units_.value_or(cloudflare()); }

    /// The API budget allows no full check before `slot`.
    void wait_for_slot(BootTime slot) { cloudflare_ = slot; }

    void begin_look(BootTime now);
    void begin_units_look(BootTime now);

    /// Repeats a failed check after 1, 2, 4 ... minutes, or after Cloudflare's Retry-After if that
    /// is longer, but at most one `drift.interval` later.
    void failed(const Error& error, BootTime now);
    void succeeded() { failures_ = 0; }

    /// A rotation has just checked everything, so the next full check is one interval away.
    void looked(BootTime now) { cloudflare_ = now + policy_.interval; }

    /// Something has changed on this host: makes a full check due now, but at most once a minute.
    void look_soon(BootTime now);

    /// A finding may be temporary: makes a full check due in `pause`.
    void look_again(BootTime now, Milliseconds pause = std::chrono::minutes{1});

    /// A systemd job of a unit has ended. Returns true if this brings the next check of the units
    /// forward.
    [[nodiscard]] bool unit_job_ended(BootTime now);

  private:
    const DriftPolicy& policy_;
    std::optional<BootTime> cloudflare_;
    std::optional<BootTime> units_;
    std::optional<BootTime> out_of_turn_;  ///< The last full check that `look_soon` has asked for.
    int failures_ = 0;                     ///< In a row.
};

/// How the checks of the token at Cloudflare went, since the start of keyturnd.
struct TokenChecks {
    std::optional<WallTime> last;         ///< The last one that succeeded.
    std::optional<WallTime> fails_since;  ///< The first that failed since then.

    void note(bool succeeded, WallTime now) {
        if (succeeded) *this = {now, std::nullopt};
        if (!succeeded && !fails_since) fails_since = now;
    }
};

/// How long after a systemd job keyturnd checks the unit: by then the job has had an effect.
inline constexpr std::chrono::seconds job_pause{2};

}  // namespace keyturn
