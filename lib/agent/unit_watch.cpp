// What the units of an idle tunnel are watched for between two looks at Cloudflare: a unit that
// fails, ends or loses its connections is often the first sign of a token that was changed.

#include "agent/asking.hpp"
#include "agent/tunnel_agent.hpp"
#include "clock/clock.hpp"
#include "state/state_store.hpp"

#include <algorithm>
#include <utility>

namespace keyturn {

/// Asks this host only. What it means, a look at Cloudflare tells.
Task<> TunnelAgent::watch_units() {
    units_look_at_ = world_.clock.boot_now() + policy_.drift.units_interval;
    SampleUnits question;
    question.names = units_;
    const auto samples = co_await ask(std::move(question));
    if (!samples) co_return;  // The next look at Cloudflare says so.
    const auto file = executor_.delivered_fingerprint();
    const bool unchanged = file && *file == state_.delivered;
    bool soon = !unchanged;
    for (const SampleUnits::Sample& sample : *samples) soon = soon || lost(sample);
    if (unchanged) note_token(state_.delivered, *samples, true);
    if (soon) look_soon();
}

/// Called from inside the bus pump: it only sets facts. Jobs that follow each other are one reason.
void TunnelAgent::unit_job_ended(const std::string& unit) {
    if (rotation_ || std::ranges::find(units_, unit) == units_.end()) return;
    const BootTime soon = world_.clock.boot_now() + job_pause;
    if (units_look_at_.value_or(soon) <= soon) return;
    units_look_at_ = soon;
    wakeup_.wake();
}

/// It does not serve, and did at the last look, or is another process than then, or has to be
/// brought back onto the token.
bool TunnelAgent::lost(const SampleUnits::Sample& sample) const {
    if (!sample.idle()) return false;
    const auto before = seen_.find(sample.state.name);
    if (before == seen_.end()) return false;
    const Seen& seen = before->second;
    return seen.served || seen.invocation != sample.state.invocation;
}

void TunnelAgent::note_samples(const SampleUnits::Value& samples) {
    const BootTime now = world_.clock.boot_now();
    std::map<std::string, Seen> seen;
    for (const SampleUnits::Sample& sample : samples) {
        const auto before = seen_.find(sample.state.name);
        Seen one{sample.state.invocation, sample.serves(), std::nullopt};
        const bool same = before != seen_.end() && before->second.invocation == one.invocation;
        if (sample.idle() && sample.state.running()) {
            one.idle_since = same ? before->second.idle_since.value_or(now) : now;
        }
        seen.emplace(sample.state.name, std::move(one));
    }
    seen_ = std::move(seen);
}

}  // namespace keyturn
