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

/// A small world around one rotation: a tunnel at the API, units that come up as told, a disk, a
/// clock that moves when the rotation waits. Deterministic; nothing runs by itself.
class RotationWorld {
  public:
    static constexpr const char* tunnel_id = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";

    /// Whose secret something holds.
    enum class Token { old, ours, foreign };

    /// What a restart of a unit leads to.
    enum class Fate {
        comes_up,       ///< Active at once, all connections after two seconds.
        never_ready,    ///< The job fails; systemd tries again for ever.
        done_but_dead,  ///< The job is `done` and the unit is inactive (a failed condition).
        fails,          ///< The job fails and the unit stays failed.
        dies_later,     ///< Comes up, and is failed after its `lifetime`.
        one_short,      ///< Comes up with one connection less than before.
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
        bool refused = false;    ///< polkit says no.
        bool not_reset = false;  ///< polkit says no to ResetFailedUnit alone.
    };

    explicit RotationWorld(std::vector<std::string> unit_names);

    /// Gives the tunnel a unit that helps out, stopped.
    void add_surge(const std::string& name);

    /// Starts a rotation, or resumes the record on disk.
    void start(bool retry = false);

    /// Performs actions until the rotation has ended, is held, or `steps` actions were done.
    void run(std::size_t steps = 20'000);

    /// Performs one action; false when there is nothing to do any more.
    bool step();

    /// As a crash would: forgets the rotation in memory and resumes from the disk.
    void crash_and_restart();

    [[nodiscard]] bool held() const { return rotation->view().state == RotationState::held; }
    [[nodiscard]] bool done() const { return rotation->view().state == RotationState::done; }
    [[nodiscard]] bool refused() const { return rotation->view().state == RotationState::refused; }
    [[nodiscard]] Unit& unit(const std::string& name);
    /// As an operator does it: it stays stopped.
    static void stop(Unit& unit);

    [[nodiscard]] int serving() const;
    [[nodiscard]] std::size_t count(const std::string& logged) const;

    /// What of the log touches the world outside: PATCH, files, units, connectors. In order.
    [[nodiscard]] std::vector<std::string> deeds() const;

    /// Performs actions until the next one is of this name; false when none comes.
    bool run_until(const std::string& next, std::size_t steps = 20'000);

    /// Where `retry` is the operator's word, takes the hold off and goes on to the end.
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
    std::string ours_fingerprint = "new";  ///< Of `Token::ours`; a stranger's once taken over.
    std::optional<Token> token_shown;      ///< GET token shows this one, whatever is true.
    bool tunnel_deleted = false;
    std::vector<Connector> foreign_connectors;
    bool foreign_come_back = false;  ///< However often they are dropped.
    std::vector<Connector> ghosts;   ///< Connectors from before that the API goes on listing.
    int secrets_made = 0;
    int patches = 0;

    // The disk.
    Token file_token = Token::old;
    bool file_of_another_tunnel = false;
    bool file_emptied = false;
    bool pending_kept = false;
    std::string kept_rotation;  ///< Whose two tokens are kept.
    bool taken_back = false;    ///< The two kept tokens have changed places.
    bool old_wiped = false;
    std::optional<RotationRecord> disk_record;
    std::vector<HistoryEntry> history;

    /// A fault for the next action of this kind: taken once for each entry. "patch", "read token",
    /// "sample", "save", "deliver", "restart a.service", ... as in `log`. For a PATCH with
    /// `applied`, the API takes the secret although the caller gets the error.
    struct FaultOnce {
        std::string action;
        Error error;
        bool applied = false;
    };
    std::deque<FaultOnce> faults;
    bool polkit_gone = false;  ///< Nobody answers systemd's question whether we may.

    std::vector<std::string> log;  ///< Every action that reached the world, in order.
    std::vector<Event> events;
    int fewest_serving = 0;  ///< The smallest number of serving units ever seen.
    BootTime now{std::chrono::hours{1}};
    WallTime wall_now{std::chrono::seconds{1'772'332'200}};
    std::function<void(const std::string&)> before_action;  ///< Called with what `log` will say.

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
