#pragma once

#include "executor/executor.hpp"
#include "executor/rotation_executor.hpp"
#include "waves/wave_gate.hpp"
#include "waves/wave_hosts.hpp"

#include <functional>
#include <string>
#include <vector>

namespace keyturn {

class WaveLog;
class WaveMemory;

/// Performs the rotations of this host's units, in turn with the other hosts of the tunnel: a
/// restart waits until the gate is open, and the connectors of the other hosts are not listed as
/// unknown ones.
class WaveExecutor final : public Executor {
  public:
    /// `looked` is called after each list of connectors. All arguments must outlive this.
    WaveExecutor(const TunnelPolicy& policy, TunnelState& state, Dependencies world, WaveGate& gate,
                 WaveMemory& memory, WaveLog& log, std::function<void()> looked);

    Task<Answer> perform(const Action& action) override;

    [[nodiscard]] Result<Fingerprint> delivered_fingerprint() override {
        return local_.delivered_fingerprint();
    }
    [[nodiscard]] std::string kept_rotation() override { return local_.kept_rotation(); }
    Task<Result<void>> seed_token_file() override { return local_.seed_token_file(); }
    [[nodiscard]] Fingerprint replaced_fingerprint(const Fingerprint& delivered) override {
        return local_.replaced_fingerprint(delivered);
    }
    Task<Result<void>> deliver_again(Fingerprint expected) override {
        return local_.deliver_again(std::move(expected));
    }

    /// Why Cloudflare does not show this host's connectors as its own; empty if it does.
    [[nodiscard]] const std::string& mistaken() const { return mistaken_; }

  private:
    friend class ByKind;

    template <class Asked>
    Task<Result<typename Asked::Value>> act(const Asked& action) {
        return local_.act(action);
    }
    Task<Result<ListConnectors::Value>> act(const ListConnectors& action);
    Task<Result<SampleUnits::Value>> act(const SampleUnits& action);
    Task<Result<PrepareSecret::Value>> act(const PrepareSecret& action);
    Task<Result<DeliverToken::Value>> act(const DeliverToken& action);
    Task<Result<RestartResult>> act(const RestartUnit& action);
    Task<Result<void>> act(const Conclude& action);

    Task<Result<void>> await_turn(std::string unit);
    Task<Result<RestartUnit>> look_again(RestartUnit restart);
    Task<Result<void>> make_sure_of_token();
    Task<Result<void>> learn_of_change();
    Task<> keep_up();
    Task<Result<void>> list();
    void take_in(const std::vector<Connector>& listed);
    [[nodiscard]] Result<void> keep_memories();

    const TunnelPolicy& policy_;
    TunnelState& state_;
    Dependencies world_;
    WaveGate& gate_;
    WaveMemory& memory_;
    WaveLog& log_;
    std::function<void()> looked_;
    RotationExecutor local_;
    WaveMemories saved_;          ///< What is on disk.
    SampleUnits::Value sampled_;  ///< The units as the heart has last seen them.
    BootTime sampled_at_{};
    BootTime keeps_up_at_{};  ///< When `keep_up` may ask Cloudflare again.
    OwnConnectors own_connectors_;
    std::string mistaken_;
};

}  // namespace keyturn
