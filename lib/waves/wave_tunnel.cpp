#include "waves/wave_tunnel.hpp"

#include "clock/clock.hpp"
#include "waves/wave_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace keyturn {

namespace {

/// Windows and the splay may delay a rotation that is due.
constexpr std::chrono::hours overdue_after{7 * 24};

}  // namespace

WaveTunnel::WaveTunnel(const boost::asio::any_io_executor& executor, TunnelPolicy policy,
                       std::size_t own, double splay_share, Dependencies world, EventLog& log,
                       std::function<void(const ManagedTunnel&)> changed, WaveMemory& memory,
                       WaveMemories memories, WaveTimes times)
    : policy_(std::move(policy)),
      clock_(world.clock),
      gate_(policy_, own, times, std::move(memories)),
      log_(log, gate_),
      troubles_(policy_, log),
      changed_(std::move(changed)),
      agent_(
          executor, policy_of_agent(), splay_share, world, log_,
          [this](const TunnelAgent&) { changed_(*this); },
          [this, &memory](const TunnelPolicy& agents_policy, TunnelState& state,
                          Dependencies agents_world) {
              auto made = std::make_unique<WaveExecutor>(agents_policy, state, agents_world, gate_,
                                                         memory, log_, [this] { looked(); });
              executor_ = made.get();
              return made;
          }) {}

/// The other hosts serve while a unit of this one restarts: the gate sees to that. Only the first
/// host has a schedule.
TunnelPolicy WaveTunnel::policy_of_agent() const {
    TunnelPolicy policy = policy_;
    for (std::size_t i = 0; i < gate_.hosts().size(); ++i) {
        if (i != gate_.own()) policy.rollout.min_available -= gate_.hosts()[i].units;
    }
    policy.rollout.min_available = std::max(policy.rollout.min_available, 0);
    policy.drift.restart = DriftRestart::now;  // The hosts after this one wait for it.
    if (!gate_.leads()) {
        policy.drift.by_another_host = true;
        policy.schedule.every = Milliseconds{0};
        policy.schedule.calendars.clear();
        policy.schedule.max_age = Milliseconds{0};
    }
    return policy;
}

Result<void> WaveTunnel::request_rotation(RotationRequest request) {
    if (!request.moves_units() && !gate_.leads()) {
        return Error{Fault::denied,
                     fmt::format("{0} rotates {1}: run this command there. If that host is gone, "
                                 "make another one the first of `hosts`, on all hosts",
                                 gate_.hosts().front().host, policy_.name),
                     {}};
    }
    if (request.evict_all) {
        return Error{Fault::denied,
                     fmt::format("`--evict-all` would also drop the connectors of the other hosts, "
                                 "which need up to {} (`drift.interval`) to notice: run "
                                 "`keyturnctl rotate {} --compromised` without it",
                                 to_text(policy_.drift.interval), policy_.name),
                     {}};
    }
    return agent_.request_rotation(std::move(request));
}

Result<void> WaveTunnel::decide(Decision decision) {
    if (decision == Decision::revert) {
        return Error{Fault::denied,
                     "with `kind: api` no rotation can be reverted, because the other hosts may "
                     "already have the new token; to replace it, rotate again when this one has "
                     "ended",
                     {}};
    }
    // A hold for any other reason says nothing about the hosts before this one.
    const bool gate_refused = gate_.memories().overtaken ||
                              agent_.status().hold_reason == name_of(HoldReason::host_silent);
    Result<void> decided = agent_.decide(decision);
    if (decided && decision == Decision::retry && gate_refused) gate_.acknowledge();
    return decided;
}

TunnelStatus WaveTunnel::status() const {
    TunnelStatus status = agent_.status();
    status.can_revert = false;
    std::ranges::move(troubles(status), std::back_inserter(status.findings));
    return status;
}

std::string WaveTunnel::describe() const {
    return fmt::format("{}  each host looks at Cloudflare every {}\n{}", policy_.name,
                       to_text(policy_.drift.interval), gate_.describe());
}

/// While hosts restart, some are absent for a moment.
std::vector<std::string> WaveTunnel::troubles(const TunnelStatus& of_agent) const {
    std::vector<std::string> texts;
    if (executor_ != nullptr && !executor_->mistaken().empty()) {
        texts.push_back(executor_->mistaken());
    }
    if (!gate_.memories().done || !agent_.idle()) return texts;
    std::ranges::move(gate_.absences(), std::back_inserter(texts));
    std::ranges::move(gate_.surpluses(), std::back_inserter(texts));
    std::ranges::move(laggards(of_agent), std::back_inserter(texts));
    if (auto text = overdue(of_agent)) texts.push_back(std::move(*text));
    return texts;
}

/// This host has restarted, and the others have had the time for it.
std::vector<std::string> WaveTunnel::laggards(const TunnelStatus& of_agent) const {
    const std::optional<WallTime> last = of_agent.last_ended;
    if (!last || clock_.wall_now() - *last < gate_.patience()) return {};
    return gate_.laggards();
}

/// Nobody else rotates if the first host does not, so the others say so.
std::optional<std::string> WaveTunnel::overdue(const TunnelStatus& of_agent) const {
    const Schedule& schedule = policy_.schedule;
    const Milliseconds due = schedule.every > Milliseconds{0} ? schedule.every : schedule.max_age;
    // A host that follows ends a rotation of its own after each change.
    const std::optional<WallTime> last = of_agent.last_ended;
    if (gate_.leads() || due == Milliseconds{0} || !last) return std::nullopt;
    const Milliseconds age = clock_.wall_now() - *last;
    if (age < due + overdue_after) return std::nullopt;
    return fmt::format("the token is older than `rotate` allows: look at {}, which rotates it",
                       gate_.hosts().front().host);
}

void WaveTunnel::looked() {
    troubles_.note(troubles(agent_.status()));
    changed_(*this);
}

}  // namespace keyturn
