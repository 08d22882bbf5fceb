#pragma once

#include "executor/executor.hpp"
#include "executor/rotation_executor.hpp"
#include "fleet/fleet.hpp"
#include "fleet/times.hpp"
#include "fleet/transitions.hpp"
#include "member/fleet_tokens.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace keyturn {

/// What a host's lead and the rest of it share.
struct Leading {
    std::optional<Leadership> lead;  ///< While this host leads a rotation.
    std::uint64_t obeyed = 0;        ///< An order that is carried out; the next write answers it.
    std::optional<BootTime> api_silent_since;  ///< Cloudflare has not answered since then.
    std::function<void()> deposed;             ///< Called once another host leads.
};

/// Performs the rotations of a tunnel over all hosts of its fleet, on the host that leads: units
/// are HOST/UNIT, the record lies in the shared object, tokens are sealed there, and a restart is a
/// turn that the host of the unit takes.
///
/// Once another host leads, an action never ends: whoever owns this has to end the rotation.
class LeadExecutor final : public Executor {
  public:
    /// `world` has the fleet's tokens and states. All arguments must outlive this.
    LeadExecutor(const TunnelPolicy& policy, TunnelState& state, Dependencies world, Fleet& fleet,
                 FleetTokens& tokens, Leading& leading, FleetTimes times);

    Task<Answer> perform(const Action& action) override;

    [[nodiscard]] Result<Fingerprint> delivered_fingerprint() override;
    [[nodiscard]] std::string kept_rotation() override;
    Task<Result<void>> seed_token_file() override;
    [[nodiscard]] Fingerprint replaced_fingerprint(const Fingerprint& delivered) override;
    Task<Result<void>> deliver_again(Fingerprint expected) override;

  private:
    friend class ByKind;
    /// Performs an action with the fleet's tokens, and shares what it did to them.
    template <class Asked>
    Task<Result<typename Asked::Value>> share(const Asked& action);
    /// Performs an action on Cloudflare as this host alone does.
    template <class Asked>
    Task<Result<typename Asked::Value>> pass_on(const Asked& action);

    Task<Result<InspectTunnel::Value>> act(const InspectTunnel& action) { return pass_on(action); }
    Task<Result<ReadToken::Value>> act(const ReadToken& action) { return share(action); }
    Task<Result<ListConnectors::Value>> act(const ListConnectors& action);
    Task<Result<InspectUnits::Value>> act(const InspectUnits& action);
    Task<Result<SampleUnits::Value>> act(const SampleUnits& action);
    Task<Result<CheckFiles::Value>> act(const CheckFiles& action);
    Task<Result<PrepareSecret::Value>> act(const PrepareSecret& action) { return share(action); }
    Task<Result<void>> act(const SaveRecord& action);
    Task<Result<CommitSecret::Value>> act(const CommitSecret& action);
    Task<Result<DeliverToken::Value>> act(const DeliverToken& action);
    Task<Result<void>> act(const PutBackToken& action) { return share(action); }
    Task<Result<KeepToken::Value>> act(const KeepToken& action) { return share(action); }
    Task<Result<void>> act(const TakeBackSecret& action) { return share(action); }
    Task<Result<void>> act(const WipeOldSecret& action) { return share(action); }
    Task<Result<void>> act(const EvictConnector& action);
    Task<Result<RestartResult>> act(const RestartUnit& action);
    Task<Result<JobResult>> act(const StopUnit& action);
    Task<Result<void>> act(const Wait& action) { return pass_on(action); }
    Task<Result<void>> act(const ForgetSecrets& action) { return share(action); }
    Task<Result<void>> act(const Conclude& action);

    Task<Result<FleetDocument>> change(FleetTransition transition);
    Task<Result<void>> write(FleetTransition transition);
    /// Somebody else has the token: no answer is worth waiting for.
    [[nodiscard]] bool in_a_hurry() const {
        return state_.rotation && state_.rotation->compromised();
    }
    [[nodiscard]] Leadership own_lead() const { return leading_.lead.value_or(Leadership()); }
    Task<> let_others_begin();
    Task<Result<void>> begin();
    Task<Result<void>> share_tokens();
    Task<Result<void>> look_if_older(Milliseconds age);
    Task<Result<void>> make_sure_to_lead();
    Task<Error> stand_down(Error error);
    [[nodiscard]] BootTime watched_until();
    Task<> look_until(std::function<bool()> so);
    Task<Result<void>> wait_until_staged(const SaveRecord& action);
    [[nodiscard]] Result<void> check_staged(const RotationRecord& record);
    Task<Result<void>> ask_all();
    [[nodiscard]] SampleUnits::Sample sample_of(const std::string& unit) const;
    Task<Result<std::uint64_t>> grant(TurnWish wish);
    Task<std::optional<Result<RestartResult>>> result_of(std::uint64_t number, BootTime granted,
                                                         Milliseconds deadline);
    Task<Result<RestartResult>> withdraw(FleetTurn turn);
    [[nodiscard]] Error no_answer_from(const std::string& unit, std::string what);
    void note_api(bool answered);

    const TunnelPolicy& policy_;
    TunnelState& state_;
    Dependencies world_;
    Fleet& fleet_;
    FleetTokens& tokens_;
    Leading& leading_;
    FleetTimes times_;
    RotationExecutor local_;

    std::optional<std::vector<Connector>> listed_;  ///< Cloudflare's newest list, if it answered.
    BootTime listed_at_{};
    /// The members' units as the last sample saw them.
    std::vector<std::pair<std::string, std::vector<MemberUnit>>> sampled_;
    // On the clock of `watched_until`.
    std::optional<BootTime> unstaged_since_;
    std::map<std::string, BootTime> silent_since_;  ///< Hosts that should act, by unit.
    std::optional<BootTime> watched_at_;
    Milliseconds blind_for_{0};
};

template <class Asked>
Task<Result<typename Asked::Value>> LeadExecutor::pass_on(const Asked& action) {
    auto result = co_await local_.act(action);
    note_api(result || result.error().fault != Fault::unreachable);
    co_return result;
}

}  // namespace keyturn
