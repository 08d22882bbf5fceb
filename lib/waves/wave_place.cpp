#include "waves/wave_place.hpp"

#include "asio/wakeup.hpp"
#include "journal/event_log.hpp"
#include "waves/wave_memory.hpp"
#include "waves/wave_tunnel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// A tunnel that this host cannot manage until a person has changed something.
class NoPlace final : public WavePlace {
  public:
    NoPlace(const boost::asio::any_io_executor& executor, TunnelPolicy policy, std::string why,
            EventLog& log)
        : policy_(std::move(policy)), why_(std::move(why)), log_(log), never_(executor) {}

    void load() override {
        log_.record({EventKind::finding_began, Priority::warning,
                     fmt::format("This host does not take part in the rotations of {}: {}",
                                 policy_.name, why_),
                     policy_.name, policy_.tunnel});
    }

    Task<> run() override { return never_.wait(); }
    Result<void> request_rotation(RotationRequest) override { return denied(); }
    Result<void> decide(Decision) override { return denied(); }
    [[nodiscard]] bool idle() const override { return true; }
    [[nodiscard]] bool takes_a_new_policy() const override { return true; }
    void wall_clock_set() override {}
    void unit_job_ended(const std::string&) override {}

    [[nodiscard]] TunnelStatus status() const override {
        TunnelStatus status;
        status.name = policy_.name;
        status.tunnel = policy_.tunnel;
        status.state = "idle";
        status.findings.push_back(why_);
        return status;
    }

    [[nodiscard]] TunnelPlan plan(std::size_t) const override {
        TunnelPlan plan;
        plan.name = policy_.name;
        return plan;
    }

    [[nodiscard]] const std::string& name() const override { return policy_.name; }

    [[nodiscard]] std::string describe() const override {
        return fmt::format("{}  {}\n", policy_.name, why_);
    }

  private:
    [[nodiscard]] Error denied() const { return {Fault::denied, why_, {}}; }

    TunnelPolicy policy_;
    std::string why_;
    EventLog& log_;
    Wakeup never_;
};

}  // namespace

std::unique_ptr<WavePlace> take_place_in_waves(const boost::asio::any_io_executor& executor,
                                               TunnelPolicy policy, double splay_share,
                                               Dependencies world, EventLog& log,
                                               std::function<void(const ManagedTunnel&)> changed,
                                               WaveMemory& memory, WaveTimes times,
                                               const std::string& host_name) {
    const Coordinator& coordinator = *policy.coordinator;
    const std::string& host = coordinator.host.empty() ? host_name : coordinator.host;
    const auto found = std::ranges::find(coordinator.hosts, host, &KnownHost::host);
    if (found == coordinator.hosts.end()) {
        std::string why = fmt::format(
            "`hosts` does not name this host, {}: add it there, or tell keyturn with `host: NAME` "
            "which of them it is",
            host);
        return std::make_unique<NoPlace>(executor, std::move(policy), std::move(why), log);
    }
    auto memories = memory.load(policy.name);
    if (!memories) {
        return std::make_unique<NoPlace>(executor, std::move(policy),
                                         std::move(memories.error().text), log);
    }
    const auto own = static_cast<std::size_t>(found - coordinator.hosts.begin());
    return std::make_unique<WaveTunnel>(executor, std::move(policy), own, splay_share, world, log,
                                        std::move(changed), memory, std::move(*memories), times);
}

}  // namespace keyturn
