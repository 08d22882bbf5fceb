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

/// The API's id for a connector that is not ours.
inline constexpr const char* stranger_name = "somebody-else";

/// Half of the failed operations took effect.
inline constexpr double disk_answer_lost = 0.5;

/// What all tunnels of a run share.
struct Shared {
    Chance& chance;
    Outages api;
    Outages bus;
    Outages polkit;
    Outages disk;
    Outages network;
    /// Called before and after every effect; may throw `DaemonKilled`. `before` means that the
    /// effect has not happened yet; otherwise it has, and its answer gets lost.
    std::function<void(Phase phase, bool before)> crash_point;
    int next_process = 0;
};

/// The world around one tunnel. It performs what the heart asks for, like the real shell with the
/// real boundaries, and makes go wrong what can go wrong there.
class TunnelModel {
  public:
    TunnelModel(TunnelPolicy policy, Shared& shared, BootTime now);
    TunnelModel(const TunnelModel&) = delete;
    TunnelModel& operator=(const TunnelModel&) = delete;

    /// Performs an action. Nothing means that it takes until `again_at()` and must be performed
    /// again then.
    [[nodiscard]] std::optional<Answer> perform(const Action& action, BootTime now);
    [[nodiscard]] BootTime again_at() const { return again_at_; }

    /// keyturnd is gone, and with it the call that it was waiting for.
    void forget_call() { job_begun_ = false; }
    [[nodiscard]] bool in_a_call() const { return job_begun_; }

    /// Lets time pass for everything outside keyturnd.
    void advance(BootTime now);

    void reboot(BootTime up);

    /// True if Cloudflare's token is another one than the delivered one; nothing if Cloudflare does
    /// not answer.
    [[nodiscard]] std::optional<bool> token_was_changed(BootTime now);

    /// Called after a long time without faults: everything must be right.
    void check_convergence(BootTime now);

    /// A person fixes what is broken.
    void mend(bool leave_stopped);

    /// Somebody else sets a secret, or restores an old one.
    void rotate_foreign(BootTime now);

    /// Somebody empties the token file, or writes an earlier token into it.
    void change_token_file(BootTime now);

    /// Makes a backup of everything that keyturnd has on the disk.
    void back_up() { backup_ = disk_; }

    /// While keyturnd is down, a person loses its state or restores the last backup, either all of
    /// it or all but the token files.
    void lose_state(BootTime now);

    /// Does what the agent does if there is no token file: writes what the API shows.
    void write_lost_token_file();
    [[nodiscard]] bool has_token_file() const { return disk_.token_file != 0; }

    /// From now on one unit takes its token from elsewhere: the one that it has.
    void forget_token_file_somewhere();

    /// Root moves the units that the request names onto the token file or off it, or back again. A
    /// unit that is not on the file has Cloudflare's present token.
    void move_units(const RotationRequest& request, bool back);

    /// Root brings every unit onto the token file again.
    void bring_all_in();

    /// Connects somebody else's replica.
    void attach_foreign_replica();

    /// From now on the metrics server of one unit, or of all units, cannot be asked.
    void hide_metrics();

    [[nodiscard]] const TunnelPolicy& policy() const { return policy_; }
    [[nodiscard]] DiskModel& disk() { return disk_; }
    [[nodiscard]] Invariants& invariants() { return invariants_; }
    [[nodiscard]] const CloudModel& cloud() const { return cloud_; }
    /// True if the API's token is one of the two kept tokens.
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
    ResultOf<KeepToken> act(const KeepToken& action);
    ResultOf<TakeBackSecret> act(const TakeBackSecret& action);
    ResultOf<WipeOldSecret> act(const WipeOldSecret&);
    ResultOf<EvictConnector> act(const EvictConnector& action);
    ResultOf<RestartUnit> act(const RestartUnit& action);
    ResultOf<StopUnit> act(const StopUnit& action);
    ResultOf<Wait> act(const Wait& action);
    ResultOf<ForgetSecrets> act(const ForgetSecrets&);
    ResultOf<Conclude> act(const Conclude& action);

    /// Something that keyturnd does to the world, with crash points around it.
    template <class Effect>
    void effect(Effect change);
    /// One operation of the disk, which may fail before or after it took effect.
    template <class Change>
    Result<void> disk_operation(Change change);
    /// One systemd job, started by `begin`. Returns its result, or nothing while it runs.
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
    SecretId next_rotation_ = 0;  ///< Of rotations that make no secret.
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
