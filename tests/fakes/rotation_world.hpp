#pragma once

#include "fakes/samples.hpp"
#include "rotation/rotation.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// A small world around one rotation: a tunnel at the API, units with a fate, a disk, and a clock
/// that moves when the rotation waits. It is deterministic. Only the rotation makes things happen.
class RotationWorld {
  public:
    /// Whose secret something holds.
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
        std::string silent;   ///< Why /ready cannot be asked; empty: it can.
        bool behind = false;  ///< Its host does not have the delivered token yet.
        Token token = Token::old;
        Fate fate = Fate::comes_up;
        int restarts = 0;
        BootTime came_up{};
        Milliseconds lifetime = std::chrono::seconds{30};
        int connections_full = full;
        bool listed = true;
        bool surge = false;
        std::optional<std::string> problem;
        std::optional<Token> source;  ///< Where it takes its token from; empty: our token file.
        bool refused = false;         ///< polkit says no.
        bool not_reset = false;       ///< polkit says no to ResetFailedUnit alone.

        /// An operator stops it: it stays stopped.
        void stop();
        /// The process dies, and systemd does not start it again.
        void fail();
        /// Somebody else begins to start it: this process.
        void begin_start(const std::string& process);
        /// Somebody else has started it: this process, which has read this token.
        void come_up(const std::string& process, Token read, int connections = full);
        /// A reboot or an updater has replaced its process; the token is the same.
        void replace_process(const std::string& process);
        /// It loses all connections and cannot reconnect without a restart.
        void lose_connections();
    };

    /// What keyturnd loses in a crash. A copy of a world is that world after a crash.
    struct Memory : std::unique_ptr<Rotation> {
        Memory() = default;
        Memory(const Memory&) : unique_ptr() {}
        Memory(Memory&&) = default;
        using unique_ptr::operator=;
    };

    explicit RotationWorld(const std::vector<std::string>& unit_names = {a, b});

    /// Adds a unit that serves.
    void add_unit(const std::string& name);

    /// Removes all units but a.
    void leave_one_unit();

    /// Adds the extra unit, stopped.
    void add_surge();

    /// Shortens the waits, so that a whole rotation has few enough actions to crash after each.
    void be_quick();

    /// Starts a rotation, or resumes the record on disk.
    void start(bool retry = false);

    /// Performs actions until the rotation has ended, is held, or `steps` actions were done.
    void run(std::size_t steps = steps_max);

    /// A whole rotation: starts it and runs it.
    void rotate();

    /// Performs one action; false if there is nothing left to do.
    bool step();

    /// Performs this many actions, or all that there are.
    void steps(std::size_t count);

    /// Performs actions until the next one is of this name; false when none comes.
    bool run_until(const std::string& next);

    /// The same from the start of a rotation on.
    bool rotate_until(const std::string& next);

    /// Performs the next action of this name, too; false when none comes.
    bool run_past(const std::string& next);

    /// Performs actions until this is told; false when that does not happen.
    bool run_until(EventKind kind);

    /// Performs actions until this is so; false when that does not happen.
    bool run_until(const std::function<bool()>& there);

    /// Performs actions until this much time has passed; false when it ends before.
    bool run_for(Milliseconds time);

    /// Forgets the rotation in memory and resumes from the disk.
    void crash_and_restart();

    /// Does what `keyturnctl retry` does, and runs to the end.
    void retry();

    /// Does what `keyturnctl pause` does, before or during a rotation.
    void pause();

    /// Does what `keyturnctl resume` does, and runs to the end.
    void resume();

    [[nodiscard]] bool held() const { return rotation->view().state == RotationState::held; }
    [[nodiscard]] bool done() const { return rotation->view().state == RotationState::done; }
    [[nodiscard]] bool refused() const { return rotation->view().state == RotationState::refused; }

    /// The reason of the hold that is on the disk; nothing where it is not held.
    [[nodiscard]] std::optional<HoldReason> held_for() const;
    /// That hold; only while `held_for()` has a value.
    [[nodiscard]] const Hold& hold() const { return disk_record->hold.value(); }

    [[nodiscard]] Unit& unit(const std::string& name) { return units.at(name); }
    [[nodiscard]] int restarts(const std::string& name) const { return units.at(name).restarts; }
    /// Of all units together.
    [[nodiscard]] int restarts() const;
    [[nodiscard]] int serving() const;

    [[nodiscard]] std::size_t count(const std::string& logged) const;
    /// The moment of the first action of this name, which has to be there.
    [[nodiscard]] BootTime when(const std::string& logged) const;
    /// The units in the order of their restarts.
    [[nodiscard]] std::vector<std::string> restarted() const;
    /// The actions of the log that change something: PATCH, files, units, connectors. In order.
    [[nodiscard]] std::vector<std::string> deeds() const;
    /// How the rotation ended; nothing while it has not.
    [[nodiscard]] std::optional<Outcome> outcome() const;

    [[nodiscard]] bool told(EventKind kind) const { return last(kind) != nullptr; }
    [[nodiscard]] const Event* last(EventKind kind) const;
    [[nodiscard]] std::size_t count(EventKind kind) const;
    /// The message of the last event of this kind; empty where none was told.
    [[nodiscard]] std::string message(EventKind kind) const;

    TunnelPolicy policy;
    RotationRequest request{.trigger = "test"};
    bool paused = false;
    bool bus_down = false;  ///< systemd does not answer.
    std::vector<ProvenConnector> proven;
    std::string superseded;
    std::vector<std::string> retired;
    Memory rotation;
    std::map<std::string, Unit> units;
    std::vector<std::string> order;

    // The API.
    Token api_token = Token::old;
    std::string ours_fingerprint = "new";  ///< Of `Token::ours`, also after a take-over.
    std::optional<Token> token_shown;      ///< GET token shows this one instead.
    bool tunnel_deleted = false;
    std::vector<Connector> foreign_connectors;
    bool foreign_come_back = false;  ///< They reconnect after each eviction.
    std::vector<Connector> ghosts;   ///< Connectors from before that the API still lists.
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

    /// Adds this fault for the next `times` actions of this name, behind those that wait already.
    void fail_next(const std::string& action, const Error& error, int times = 1);

    using Disturbance = std::function<void()>;
    /// Calls this before each action, with what `log` will say.
    void before_each(std::function<void(const std::string&)> disturb);
    /// Calls this before each action of this name.
    void before(const std::string& action, const Disturbance& disturb);
    /// Calls this before the first action of this name from now on.
    void once_before(const std::string& action, const Disturbance& disturb);
    /// From now on nothing disturbs the rotation and nothing fails.
    void leave_alone();

    std::vector<std::string> log;  ///< Every action that reached the world, in order.
    std::vector<Event> events;
    int fewest_serving = 0;  ///< The smallest number of serving units ever seen.
    BootTime now{std::chrono::hours{1}};
    WallTime wall_now{std::chrono::seconds{1'772'332'200}};

  private:
    static constexpr std::size_t steps_max = 20'000;

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
    Result<KeepToken::Value> act(const KeepToken& action);
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
    [[nodiscard]] std::string next_action() const;

    int next_id_ = 1;
    std::vector<BootTime> log_times_;
    std::vector<std::function<void(const std::string&)>> before_each_;
};

/// Three units and short waits: every phase, and few enough actions to crash after each of them.
struct CrashWorld : RotationWorld {
    CrashWorld() : RotationWorld({a, b, c}) { be_quick(); }
};

using Token = RotationWorld::Token;
using Fate = RotationWorld::Fate;

}  // namespace keyturn
