#pragma once

#include "asio/task.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "executor/executor.hpp"
#include "policy/policy.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "token/token.hpp"
#include "units/polkit.hpp"

#include <chrono>
#include <optional>

namespace keyturn {

class ApiBudget;
class Clock;
class Connectors;
class Random;
class StateStore;
class TokenStore;
class UnitClaims;
class UnitManager;

/// What the rotation of one tunnel needs from the world. All of it must outlive the users.
struct Dependencies {
    Clock& clock;
    TunnelApi& api;
    UnitManager& units;
    Connectors& connectors;
    TokenStore& tokens;
    StateStore& states;
    Random& random;
    ApiBudget& budget;  ///< `api` already keeps to it; errands also need their turns.
    const UnitClaims* claims = nullptr;  ///< Of all tunnels; null if this is the only one.
};

/// The shell around the heart. It performs the actions of one tunnel's rotations against the real
/// world, and decides nothing. This is the only place where a rotation and its secrets meet.
class RotationExecutor final : public Executor {
  public:
    /// `policy` and `state` must outlive the executor. `SaveRecord` and `Conclude` change `state`.
    RotationExecutor(const TunnelPolicy& policy, TunnelState& state, Dependencies world);

    Task<Answer> perform(const Action& action) override;

    /// The same for one kind of action, which must outlive the task.
    Task<Result<InspectTunnel::Value>> act(const InspectTunnel& action);
    Task<Result<ReadToken::Value>> act(const ReadToken& action);
    Task<Result<ListConnectors::Value>> act(const ListConnectors& action);
    Task<Result<InspectUnits::Value>> act(const InspectUnits& action);
    Task<Result<SampleUnits::Value>> act(const SampleUnits& action);
    Task<Result<CheckFiles::Value>> act(const CheckFiles& action);
    Task<Result<PrepareSecret::Value>> act(const PrepareSecret& action);
    Task<Result<void>> act(const SaveRecord& action);
    Task<Result<CommitSecret::Value>> act(const CommitSecret& action);
    Task<Result<DeliverToken::Value>> act(const DeliverToken& action);
    Task<Result<void>> act(const PutBackToken& action);
    Task<Result<KeepToken::Value>> act(const KeepToken& action);
    Task<Result<void>> act(const TakeBackSecret& action);
    Task<Result<void>> act(const WipeOldSecret& action);
    Task<Result<void>> act(const EvictConnector& action);
    Task<Result<RestartResult>> act(const RestartUnit& action);
    Task<Result<JobResult>> act(const StopUnit& action);
    Task<Result<void>> act(const Wait& action);
    Task<Result<void>> act(const ForgetSecrets& action);
    Task<Result<void>> act(const Conclude& action);

    /// `busy` if the check that allowed a unit to go down is too old.
    [[nodiscard]] Result<void> check_age(BootTime not_after) const;

    [[nodiscard]] Result<Fingerprint> delivered_fingerprint() override;
    [[nodiscard]] std::string kept_rotation() override;
    Task<Result<void>> seed_token_file() override;
    [[nodiscard]] Fingerprint replaced_fingerprint(const Fingerprint& delivered) override;
    Task<Result<void>> deliver_again(Fingerprint expected) override;

  private:
    /// The PATCH that gave the tunnel a new secret.
    struct Commit {
        std::chrono::microseconds answered{0};
        std::string rotation_id;  ///< Its new token is staged under this id.
    };

    Task<Result<TunnelToken>> api_token();
    Task<Result<InspectUnits::Unit>> inspect(std::string unit, bool by_glob = false);
    Task<Result<bool>> may_be_connector(std::string unit);
    [[nodiscard]] std::optional<std::string> claim_of_another(const UnitSettings& unit) const;
    Task<Result<void>> ask_permissions(InspectUnits::Value& units, bool must_know);
    Task<Result<Permission>> may(UnitRights rights);
    Task<Result<std::optional<InspectUnits::Unit>>> inspect_surge();
    Task<Result<SampleUnits::Sample>> sample(std::string unit);
    [[nodiscard]] Result<TunnelToken> make_token(const TunnelToken& current);
    [[nodiscard]] Result<std::optional<TunnelToken>> delivered_token();
    [[nodiscard]] Result<bool> file_holds(const TunnelToken& token);
    [[nodiscard]] Result<void> keep_tokens(const std::string& rotation_id, const TunnelToken& fresh,
                                           const TunnelToken& old);
    [[nodiscard]] Result<void> replace_file(const std::string& rotation_id,
                                            const TunnelToken& token);

    const TunnelPolicy& policy_;
    TunnelRef tunnel_;
    TunnelState& state_;
    Dependencies world_;
    std::optional<WallTime> api_time_;  ///< The Date header of the last GET token.
    Milliseconds clock_error_{0};       ///< How far our clock is ahead of it, if that is too far.
    std::optional<Commit> committed_;   ///< Until the new token is delivered.
};

}  // namespace keyturn
