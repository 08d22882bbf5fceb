#pragma once

#include "agent/tunnel_agent.hpp"
#include "member/trouble_log.hpp"
#include "waves/wave_executor.hpp"
#include "waves/wave_gate.hpp"
#include "waves/wave_log.hpp"
#include "waves/wave_place.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class WaveMemory;

/// A tunnel whose units run on several hosts that share nothing but Cloudflare. An ordinary agent
/// manages the units of this host; only when they may restart depends on the other hosts. The first
/// host of the policy rotates the token, the others follow.
class WaveTunnel final : public WavePlace {
  public:
    /// As `TunnelAgent`; `memory` must outlive this, too. `own` is the index of this host.
    WaveTunnel(const boost::asio::any_io_executor& executor, TunnelPolicy policy, std::size_t own,
               double splay_share, Dependencies world, EventLog& log,
               std::function<void(const ManagedTunnel&)> changed, WaveMemory& memory,
               WaveMemories memories, WaveTimes times);

    void load() override { agent_.load(); }
    Task<> run() override { return agent_.run(); }

    /// Denied on a host that does not rotate the token, unless it only moves units of this host.
    [[nodiscard]] Result<void> request_rotation(RotationRequest request) override;

    /// A retry also lets this host go on without the proof that the hosts before it have restarted.
    [[nodiscard]] Result<void> decide(Decision decision) override;

    [[nodiscard]] bool idle() const override { return agent_.idle(); }

    /// Also while a rotation is open: it may wait for a host that is gone for ever.
    [[nodiscard]] bool takes_a_new_policy() const override { return true; }

    void wall_clock_set() override { agent_.wall_clock_set(); }
    void unit_job_ended(const std::string& unit) override { agent_.unit_job_ended(unit); }
    [[nodiscard]] TunnelStatus status() const override;
    [[nodiscard]] TunnelPlan plan(std::size_t count) const override { return agent_.plan(count); }
    [[nodiscard]] const std::string& name() const override { return policy_.name; }

    [[nodiscard]] std::string describe() const override;

  private:
    [[nodiscard]] TunnelPolicy policy_of_agent() const;
    [[nodiscard]] std::vector<std::string> troubles(const TunnelStatus& of_agent) const;
    [[nodiscard]] std::optional<std::string> overdue(const TunnelStatus& of_agent) const;
    [[nodiscard]] std::vector<std::string> laggards(const TunnelStatus& of_agent) const;
    void looked();

    TunnelPolicy policy_;
    Clock& clock_;
    WaveGate gate_;
    WaveLog log_;
    TroubleLog troubles_;
    std::function<void(const ManagedTunnel&)> changed_;
    const WaveExecutor* executor_ = nullptr;  ///< Of the agent.
    TunnelAgent agent_;
};

}  // namespace keyturn
