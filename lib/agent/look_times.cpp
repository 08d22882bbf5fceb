#include "agent/look_times.hpp"

#include <algorithm>

namespace keyturn {

namespace {

/// Between two checks that a change on this host has caused, and the first pause after a failure.
constexpr std::chrono::minutes out_of_turn_pause{1};

/// How many times the pause doubles after failures in a row.
constexpr int doublings_max = 6;

}  // namespace

void LookTimes::begin_look(BootTime now) {
    cloudflare_ = now + policy_.interval;
    begin_units_look(now);
}

void LookTimes::begin_units_look(BootTime now) {
    units_ = now + policy_.units_interval;
}

void LookTimes::failed(const Error& error, BootTime now) {
    const Milliseconds pause = out_of_turn_pause * (1 << std::min(failures_++, doublings_max));
    const Milliseconds asked = error.retry_after;
    look_again(now, std::max(pause, asked));
}

void LookTimes::look_soon(BootTime now) {
    const BootTime soon = out_of_turn_ ? std::max(now, *out_of_turn_ + out_of_turn_pause) : now;
    if (cloudflare_ && *cloudflare_ <= soon) return;
    cloudflare_ = soon;
    out_of_turn_ = soon;
}

void LookTimes::look_again(BootTime now, Milliseconds pause) {
    cloudflare_ = std::min(cloudflare_.value_or(now + pause), now + pause);
}

bool LookTimes::unit_job_ended(BootTime now) {
    const BootTime soon = now + job_pause;
    if (units_.value_or(soon) <= soon) return false;
    units_ = soon;
    return true;
}

}  // namespace keyturn
