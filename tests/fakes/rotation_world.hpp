#pragma once

#include "rotation/rotation.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// A small world around one rotation: a tunnel at the API, units that come up as configured, a
/// disk, and a clock that moves when the rotation waits. Deterministic: nothing happens outside of
/// an action.
class RotationWorld {
  public:
    static constexpr const char* tunnel_id = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";

    /// Whose secret it is.
    enum class Token { old, ours, foreign };

    /// The result of restarting a unit.
    enum class Fate {
        comes_up,       ///< Active at once, all connections after two seconds.
        never_ready,    ///< The job fails; systemd tries again for ever.
        done_but_dead,  ///< The job is `done` but the unit is inactive (a failed condition).
        fails,          ///< The job fails and the unit stays failed.
        dies_later,     ///< Comes up, and fails after its `lifetime`.
        one_short,      ///< Comes up with one connection fewer than before.
        not_listed,     ///< Comes up, but the API never lists it.
        canceled,       ///< An operator's job replaces ours.
    };

    struct Unit {
        UnitState state;
        std::optional<Readiness> readiness;
        std::string silent;  ///< Why it cannot be asked, although it may serve.
        Token token = Token::old;
        Fate fate = Fate::comes_up;
        int restarts = 0;
        BootTime came_up{};
        Milliseconds lifetime = std::chrono::seconds{30};
        int connections_full = 4;
        bool listed = true;
        bool surge = false;
        std::optional<std::string> problem;
        bool refused = false;    ///< polkit refuses.
        bool not_reset = false;  ///< polkit refuses only ResetFailedUnit.
    };

    explicit RotationWorld(std::vector<std::string> unit_names);

    /// Gives the tunnel a stopped surge unit.
    void add_surge(const std::string& name);

    /// Starts a rotation, or resumes the record on disk.
    void start(bool retry = false);

    /// Performs actions until the rotation has ended or is held, or `steps` actions were performed.
    void run(std::size_t steps = 20'000);

    /// Performs one action; false if there is nothing left to do.
    bool step();

    /// Acts like a crash: forgets the rotation in memory and resumes from the disk.
    void crash_and_restart();

    [[nodiscard]] bool held() const { return rotation->view().state == RotationState::held; }
    [[nodiscard]] bool done() const { return rotation->view().state == RotationState::done; }
    [[nodiscard]] bool refused() const { return rotation->view().state == RotationState::refused; }
    [[nodiscard]] Unit& unit(const std::string& name);
    /// Stops a unit as an operator does: it stays stopped.
    static void stop(Unit& unit);

    [[nodiscard]] int serving() const;
    [[nodiscard]] std::size_t count(const std::string& logged) const;

    /// The entries of the log that touch the world outside (PATCH, files, units, connectors), in
    /// order.
    [[nodiscard]] std::vector<std::string> deeds() const;

    /// Performs actions until the next one has this name; false if none does.
    bool run_until(const std::string& next, std::size_t steps = 20'000);

    /// Retries as an operator does: takes the hold off and continues to the end.
    void retry_and_run();

    [[nodiscard]] bool told(EventKind kind) const;
    [[nodiscard]] const Event* last(EventKind kind) const;

    TunnelPolicy policy;
    RotationRequest request{.trigger = "test"};
    bool paused = false;
    bool bus_down = false;  ///< systemd does not answer.
    std::vector<ProvenConnector> proven;
    std::string superseded;
    std::vector<std::string> retired;
    std::unique_ptr<Rotation> rotation;
    std::map<std::string, Unit> units;
    std::vector<std::string> order;

    // The API.
    Token api_token = Token::old;
    std::string ours_fingerprint =
        "new";                         ///< Of `Token::ours`; changes when a token is taken over.
    std::optional<Token> token_shown;  ///< GET token shows this one instead of the true one.
    bool tunnel_deleted = false;
    std::vector<Connector> foreign_connectors;
    bool foreign_come_back = false;  ///< Even if they are dropped.
    std::vector<Connector> ghosts;   ///< Old connectors that the API keeps listing.
    int secrets_made = 0;
    int patches = 0;

    // The disk.
    Token file_token = Token::old;
    bool file_of_another_tunnel = false;
    bool file_emptied = false;
    bool pending_kept = false;
    std::string kept_rotation;  ///< The rotation whose two tokens are kept.
    bool taken_back = false;    ///< The two kept tokens have changed places.
    bool old_wiped = false;
    std::optional<RotationRecord> disk_record;
    std::vector<HistoryEntry> history;

    /// A fault for the next action of this kind. Each entry is used once. The kinds are named as in
    /// `log`: "patch", "read token", "sample", "save", "deliver", "restart a.service", ... For a
    /// PATCH with `applied`, the API accepts the secret although the caller gets the error.
    struct FaultOnce {
        std::string action;
        Error error;
        bool applied = false;
    };
    std::deque<FaultOnce> faults;
    bool polkit_gone = false;  ///< polkit does not answer systemd.

    std::vector<std::string> log;  ///< Every action that reached the world, in order.
    std::vector<Event> events;
    int fewest_serving = 0;  ///< The smallest number of serving units ever seen.
    BootTime now{std::chrono::hours{1}};
    WallTime wall_now{std::chrono::seconds{1'772'332'200}};
    std::function<void(const std::string&)>
        before_action;  ///< Called with the next entry of `log`.

  private:
    template <class Asked>
    Answer perform(const Asked& action);
    Result<InspectTunnel::Value> act(const InspectTunnel&);
    Result<ReadToken::Value> act(const ReadToken&);
    Result<ListConnectors::Value> act(const ListConnectors&);
    Result<InspectUnits::Value> act(const InspectUnits& action);
    Result<SampleUnits::Value> act(const SampleUnits& action);
    Result<CheckFiles::Value> act(const CheckFiles&);
    Result<PrepareSecret::Value> act(const PrepareSecret&);
    Result<void> act(const SaveRecord& action);
    Result<CommitSecret::Value> act(const CommitSecret&);
    Result<DeliverToken::Value> act(const DeliverToken&);
    Result<void> act(const PutBackToken&);
    Result<AdoptToken::Value> act(const AdoptToken& action);
    Result<void> act(const TakeBackSecret& action);
    Result<void> act(const WipeOldSecret&);
    Result<void> act(const EvictConnector& action);
    Result<RestartResult> act(const RestartUnit& action);
    Result<JobResult> act(const StopUnit& action);
    Result<void> act(const Wait& action);
    Result<void> act(const ForgetSecrets&);
    Result<void> act(const Conclude& action);

    void bring_up(Unit& unit);
    [[nodiscard]] Result<void> ask_polkit(const Unit& unit) const;
    [[nodiscard]] ReadToken::Holder holder_of(Token token) const;
    [[nodiscard]] std::string fingerprint_of(Token token) const;
    [[nodiscard]] Token fresh() const { return taken_back ? Token::old : Token::ours; }
    void let_time_pass();

    int next_id_ = 1;
};

}  // namespace keyturn
