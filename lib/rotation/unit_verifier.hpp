#pragma once

#include "policy/policy.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "rotation/verification.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// Watches one restarted unit until it is steady (healthy, as the same process, for
/// min_healthy_time) or hopeless (dead, or not healthy at its deadline). The deadline is
/// healthy_deadline, but at least the sum of the unit's own stop and start timeouts: an automatic
/// restart within it is waited for. Pure: the caller passes the time.
class UnitVerifier {
  public:
    UnitVerifier(const UnitProgress& unit, const TunnelPolicy& policy, BootTime now);

    void look(const SampleUnits::Sample& sample, BootTime now);

    /// Nothing could be seen for a while, so earlier observations no longer count.
    void begin_anew(BootTime now);

    /// How long the unit's state has been unknown. That time does not count towards the deadline.
    [[nodiscard]] Milliseconds unknown_for() const { return unknown_for_; }

    /// Adds another obstacle to `seen()`.
    void note(std::string text) { seen_ += "; " + std::move(text); }

    [[nodiscard]] bool steady() const;
    [[nodiscard]] bool late() const { return now_ >= started_ + allowed_; }
    [[nodiscard]] bool hopeless() const;

    /// A job has stopped the new process, and it ended without an error, so a person did that.
    [[nodiscard]] bool was_stopped() const {
        return was_stopping_ && standing_ == UnitVerdict::Standing::dead && ended_well_;
    }

    /// Steady with one connection fewer than before, which is accepted at the deadline.
    [[nodiscard]] bool short_of_connections() const { return short_of_connections_; }

    [[nodiscard]] Milliseconds allowed() const { return allowed_; }
    [[nodiscard]] Milliseconds elapsed() const { return now_ - started_; }
    [[nodiscard]] const std::string& seen() const { return seen_; }

  private:
    UnitProgress unit_;
    std::string tunnel_;
    Milliseconds min_healthy_time_;
    Milliseconds allowed_;
    BootTime started_;
    BootTime now_;
    Milliseconds unknown_for_{0};
    UnitVerdict::Standing standing_ = UnitVerdict::Standing::not_yet;
    std::optional<BootTime> healthy_since_;
    std::string healthy_invocation_;
    std::string seen_ = "nothing seen yet";
    bool short_of_connections_ = false;
    bool was_stopping_ = false;
    bool ended_well_ = false;
};

}  // namespace keyturn
