#include "rotation/unit_verifier.hpp"

#include <algorithm>

namespace keyturn {

UnitVerifier::UnitVerifier(const UnitProgress& unit, const TunnelPolicy& policy, BootTime now)
    : unit_(unit),
      tunnel_(policy.tunnel),
      min_healthy_time_(policy.rollout.min_healthy_time),
      allowed_(std::max(policy.rollout.healthy_deadline, unit.stop_and_start)),
      started_(now),
      now_(now) {}

void UnitVerifier::look(const SampleUnits::Sample& sample, BootTime now) {
    const Milliseconds passed = now - now_;
    now_ = now;
    if (standing_ == UnitVerdict::Standing::unknown) {
        started_ += passed;
        unknown_for_ += passed;
    }
    const int needed = late() ? connections_tolerated(unit_) : connections_wanted(unit_);
    const UnitVerdict verdict = judge_unit(unit_, tunnel_, sample, needed);
    standing_ = verdict.standing;
    seen_ = verdict.text;
    const bool new_process = sample.state.invocation != unit_.invocation_before;
    const bool stopping = sample.state.active_state == "deactivating" && sample.state.job_pending;
    was_stopping_ = was_stopping_ || (new_process && stopping);
    ended_well_ = sample.state.active_state == "inactive" && sample.state.result == "success";
    if (standing_ != UnitVerdict::Standing::unknown) unknown_for_ = Milliseconds{0};
    if (standing_ != UnitVerdict::Standing::healthy) {
        healthy_since_.reset();
        return;
    }
    if (!healthy_since_ || healthy_invocation_ != sample.state.invocation) healthy_since_ = now;
    healthy_invocation_ = sample.state.invocation;
    short_of_connections_ = sample.connections().value_or(0) < connections_wanted(unit_);
}

void UnitVerifier::begin_anew(BootTime now) {
    started_ = now;
    now_ = now;
    healthy_since_.reset();
}

bool UnitVerifier::steady() const {
    return healthy_since_ && now_ - *healthy_since_ >= min_healthy_time_;
}

bool UnitVerifier::hopeless() const {
    if (standing_ == UnitVerdict::Standing::dead) return true;
    // A unit that became healthy just before the deadline still gets its min_healthy_time.
    const bool almost = healthy_since_ && !steady();
    return late() && !almost && standing_ != UnitVerdict::Standing::unknown;
}

}  // namespace keyturn
