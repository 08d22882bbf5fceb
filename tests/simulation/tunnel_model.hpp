#pragma once

#include "rotation/action.hpp"
#include "simulation/invariants.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// keyturnd was killed at a crash point.
struct DaemonKilled {};

/// What the API calls a connector that is not ours.
inline constexpr const char* stranger_name = "somebody-else";

/// Half of the operations that fail took effect.
inline constexpr double disk_answer_lost = 0.5;

/// What all tunnels of a run share.
struct Shared {
    Chance& chance;
    Outages api;
    Outages bus;
    Outages polkit;
    Outages disk;
    Outages network;
    /// Passed before and after every effect; may throw `DaemonKilled`. `before`: the effect has not
    /// been made; else it has, and its answer gets lost.
    std::function<void(Phase phase, bool before)> crash_point;
    int next_process = 0;
};

/// The world around one tunnel: performs what the heart asks for, as the real shell does it with
/// the real boundaries, and lets go wrong what can go wrong there.
class TunnelModel {
  public:
    TunnelModel(TunnelPolicy policy, Shared& shared, BootTime now);
    TunnelModel(const TunnelModel&) = delete;
    TunnelModel& operator=(const TunnelModel&) = delete;

    /// Performs an action. Nothing: it takes until `again_at()`, and is to be performed again then.
    [[nodiscard]] std::optional<Answer> perform(const Action& action, BootTime now);
    [[nodiscard]] BootTime again_at() const { return again_at_; }

    /// keyturnd is gone: what it was waiting for is forgotten.
    void forget_call() { job_begun_ = false; }
    [[nodiscard]] bool in_a_call() const { return job_begun_; }

    /// Lets time pass for everything that does not belong to keyturnd.
    void advance(BootTime now);

    void reboot(BootTime up);

    /// Whether the token at Cloudflare is another one than the delivered one; nothing when
    /// Cloudflare does not answer.
    [[nodiscard]] std::optional<bool> token_was_changed(BootTime now);

    /// Nothing has gone wrong for long: everything has to be right.
    void check_convergence(BootTime now);

    /// A person mends what is broken.
    void mend(bool leave_stopped);

    /// Sets a secret that is not keyturnd's, or puts back an old one.
    void rotate_foreign(BootTime now);

    /// Somebody empties the token file, or writes a token into it that was there before.
    void change_token_file(BootTime now);

    /// A backup is made of all that keyturnd has on the disk.
    void back_up() { backup_ = disk_; }

    /// While keyturnd is down, a person loses its state, or puts back that of the last backup: all
    /// of it, or all but the token files.
    void lose_state(BootTime now);

    /// What the agent does where there is no token file: it writes what the API shows.
    void write_lost_token_file();
    [[nodiscard]] bool has_token_file() const { return disk_.token_file != 0; }

    /// A unit takes its token from elsewhere from now on: the one that it has.
    void forget_token_file_somewhere();

    /// Somebody else's replica joins.
    void attach_foreign_replica();

    /// The metrics server of one unit, or of all, cannot be asked from now on.
    void hide_metrics();

    [[nodiscard]] const TunnelPolicy& policy() const { return policy_; }
    [[nodiscard]] DiskModel& disk() { return disk_; }
    [[nodiscard]] Invariants& invariants() { return invariants_; }
    [[nodiscard]] const CloudModel& cloud() const { return cloud_; }
    /// The API's token is one of the two that are kept.
    [[nodiscard]] bool keeps_current() const {
        return disk_.kept &&
               (disk_.kept->fresh == cloud_.current() || disk_.kept->old == cloud_.current());
    }
    [[nodiscard]] std::string describe() const;

  private:
    template <class Asked>
    using ResultOf = std::optional<Result<typename Asked::Value>>;

    template <class Asked>
    std::optional<Answer> answer(const Asked& action);

    ResultOf<InspectTunnel> act(const InspectTunnel&);
    ResultOf<ReadToken> act(const ReadToken&);
    ResultOf<ListConnectors> act(const ListConnectors&);
    ResultOf<InspectUnits> act(const InspectUnits& action);
    ResultOf<SampleUnits> act(const SampleUnits& action);
    ResultOf<CheckFiles> act(const CheckFiles&);
    ResultOf<PrepareSecret> act(const PrepareSecret&);
    ResultOf<SaveRecord> act(const SaveRecord& action);
    ResultOf<CommitSecret> act(const CommitSecret&);
    ResultOf<DeliverToken> act(const DeliverToken&);
    ResultOf<PutBackToken> act(const PutBackToken&);
    ResultOf<AdoptToken> act(const AdoptToken& action);
    ResultOf<TakeBackSecret> act(const TakeBackSecret& action);
    ResultOf<WipeOldSecret> act(const WipeOldSecret&);
    ResultOf<EvictConnector> act(const EvictConnector& action);
    ResultOf<RestartUnit> act(const RestartUnit& action);
    ResultOf<StopUnit> act(const StopUnit& action);
    ResultOf<Wait> act(const Wait& action);
    ResultOf<ForgetSecrets> act(const ForgetSecrets&);
    ResultOf<Conclude> act(const Conclude& action);

    /// Something that keyturnd does to the world: with crash points around it.
    template <class Effect>
    void effect(Effect change);
    /// One operation of the disk: it may fail before or after it took effect.
    template <class Change>
    Result<void> disk_operation(Change change);
    /// One job of systemd, begun by `begin`: its result, or nothing as long as it runs.
    template <class Begin>
    std::optional<Result<JobResult>> run_job(UnitModel& unit, BootTime not_after, Begin begin);
    void reach_the_edge();
    std::optional<Error> api_fault();
    std::optional<Error> bus_fault();
    Result<SecretId> read_api();
    Result<void> stage(const std::string& rotation_id, SecretId token);
    Result<void> replace_file(const std::string& rotation_id, SecretId token);
    Result<CommitSecret::Value> patch(SecretId secret);
    UnitModel& unit(const std::string& name);
    [[nodiscard]] bool is_surge(const UnitModel& unit) const {
        return unit.name() == surge_name(policy_);
    }
    [[nodiscard]] Phase phase() const {
        return disk_.record ? disk_.record->phase : Phase::preflight;
    }

    TunnelPolicy policy_;
    Shared& shared_;
    BootTime now_;
    BootTime again_at_{};
    SecretId next_secret_ = 1;
    CloudModel cloud_;
    DiskModel disk_;
    std::optional<DiskModel> backup_;
    std::vector<UnitModel> units_;
    Invariants invariants_;
    bool job_begun_ = false;
};

template <class Effect>
void TunnelModel::effect(Effect change) {
    shared_.crash_point(phase(), true);
    change();
    invariants_.after_effect();
    shared_.crash_point(phase(), false);
}

template <class Change>
Result<void> TunnelModel::disk_operation(Change change) {
    Chance& chance = shared_.chance;
    const bool fails = shared_.disk.down(now_) || chance.strikes(FaultKind::disk_call);
    disk_.last_operation_failed = fails;
    const bool took_effect = !fails || chance.dice().happens(disk_answer_lost);
    if (took_effect) effect(change);
    if (fails) return Error{Fault::storage, "the disk is full", {}};
    return {};
}

}  // namespace keyturn::simulation
