#pragma once

#include "journal/event.hpp"
#include "policy/policy.hpp"
#include "rotation/action.hpp"
#include "rotation/attached.hpp"
#include "rotation/health_watch.hpp"
#include "rotation/preflight.hpp"
#include "rotation/record.hpp"
#include "rotation/script.hpp"
#include "rotation/vigil.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace keyturn {

/// What a rotation starts from.
struct RotationInputs {
    TunnelPolicy policy;
    std::string trigger = "schedule";
    bool scheduled = false;                ///< Started by the schedule: refuses a wrong clock.
    bool accept_gap = false;               ///< The operator's word, beside the policy's.
    bool takes_over = false;               ///< Somebody else rotated; bring the units onto it.
    bool compromised = false;              ///< The token is in wrong hands: lock them out.
    bool evict_all = false;                ///< With that: drop our own connections, too.
    std::string superseded;                ///< With that: whose tokens are kept still.
    std::vector<ProvenConnector> proven;   ///< What units told of themselves lately.
    bool paused = false;                   ///< An operator wants no further step for now.
    int adoptions = 0;                     ///< How often that was done lately.
    std::vector<std::string> retired;      ///< Fingerprints that are not taken over.
    std::optional<RotationRecord> record;  ///< The open rotation on disk, when one is resumed.
    bool retried = false;                  ///< An operator took the hold off the record.
    std::string acknowledged_unit;         ///< The unit of that hold: its stop is accepted.
};

/// What a compromise has come to so far.
struct LockOut {
    std::vector<std::string> evicted;    ///< Who was dropped, described; each once.
    std::optional<Milliseconds> after;   ///< From the alarm until nobody but ours was listed.
    std::optional<Milliseconds> outage;  ///< How long none of ours was connected, if dropped, too.
};

enum class RotationState { running, waiting, paused, held, refused, done };

/// What a rotation is doing, for status and D-Bus.
struct RotationView {
    RotationState state = RotationState::running;
    Phase phase = Phase::preflight;
    std::string reason;  ///< Why it waits, is held, or was refused; the closing sentence when done.
    struct Step {
        BootTime started;
        BootTime ends;  ///< At the earliest for a settle or soak, at the latest for a verification.
        WallTime wall_started;
    };
    std::optional<Step> step;    ///< The settle, soak or verification under way.
    SampleUnits::Value samples;  ///< The newest.
    LockOut lock_out;
};

/// The heart: one rotation of one tunnel, from preflight to done. It decides and does nothing else:
/// `action()` is what it wants done now, `answer()` tells it what came of that. It holds no secret,
/// no socket and no clock, so that a test or a simulation can be the world around it.
///
/// It never throws and never gives up: what passes by itself is waited for, what does not ends in a
/// refusal (nothing touched) or in a hold, which `keyturnctl retry` turns into a new `Rotation` on
/// the same record. Being destroyed at any moment is the same as a crash, and is safe.
class Rotation {
  public:
    Rotation(RotationInputs inputs, BootTime now, WallTime wall_now);
    Rotation(const Rotation&) = delete;
    Rotation& operator=(const Rotation&) = delete;

    /// What to do now. Only while not `ended()`.
    [[nodiscard]] const Action& action() const { return *action_; }

    /// What came of `action()`; must be the answer to an action of that type.
    void answer(Answer answer, BootTime now, WallTime wall_now);

    /// An operator's word; obeyed at the next step, a restart under way is ended and proven first.
    void set_paused(bool paused) { inputs_.paused = paused; }

    /// Whether the token from before can be brought back.
    [[nodiscard]] bool can_revert() const;

    /// An operator wants that; obeyed at the next wait. Only where `can_revert()`.
    void ask_to_revert() { revert_wanted_ = true; }

    /// Done or refused: there is nothing more to do. A hold is not an end; it goes on watching.
    [[nodiscard]] bool ended() const {
        return view_.state == RotationState::done || view_.state == RotationState::refused;
    }

    [[nodiscard]] const RotationView& view() const { return view_; }
    [[nodiscard]] const RotationRecord& record() const { return record_; }

    /// The events since the last call, oldest first.
    [[nodiscard]] std::vector<Event> take_events() { return std::exchange(events_, {}); }

  private:
    template <class Asked>
    class Question;

    /// What the API says of a connector; `unknown` when the API does not answer.
    enum class Listing { listed, absent, unknown };

    // The story, one file a chapter.
    Script<> tell();  // rotation.cpp
    Script<> tell_beginning(bool resumed);
    Script<> deliver_again();
    Script<> roll_to_the_end();
    Script<> preflight();  // preparation.cpp
    void plan(const PreflightFacts& facts);
    void tell_left_stopped();
    Script<> prepare();
    Script<PreflightFacts> gather_facts();
    Script<> commit(bool resumed);  // commit.cpp
    Script<> send_secret(bool ask_first);
    Script<> deliver();
    Script<> confirm();
    Script<bool> token_is_still_ours();
    Script<bool> follow_changed_token();
    Script<> follow_token();
    Script<> put_back();
    Script<> take_over(bool resumed);  // adoption.cpp
    Script<> plan_without_judging();
    Script<> adopt(std::string foreign_fingerprint, bool kept = false);
    Script<> allow_adoption(std::string foreign_fingerprint);
    [[nodiscard]] bool ends_after_delivery() const;
    [[nodiscard]] WallTime restarts_from() const;
    Script<> await_window();
    Script<> revert(std::string why);  // revert.cpp
    Script<> take_back();
    void plan_revert();
    void spare_untouched(const SampleUnits::Value& samples);
    Script<> obey();
    Script<> compromise();  // compromise.cpp
    Script<> plan_in_a_hurry();
    Script<std::optional<PreflightFacts>> facts_in_a_hurry(int tries);
    Script<> plan_units_late();
    Script<> insist_on_a_plan();
    Script<> take_in_new_units();
    Script<> send_again();
    Script<> restart_dropped();
    Script<> lock_out();
    Script<> hold_for_lockout(std::vector<std::string> absent);
    Script<> evict();  // eviction.cpp
    Script<> evict_strangers();
    Script<> evict_doubtful(Attached attached, SampleUnits::Value samples);
    Script<> evict_connector(Connector connector, bool surely_foreign);
    Script<std::optional<SampleUnits::Value>> look_at_units();
    Script<std::optional<std::string>> restart_path_problem();
    [[nodiscard]] Attached sort_out(const std::vector<Connector>& listed,
                                    const std::optional<SampleUnits::Value>& samples);
    void tell_doubt(const Attached& attached);
    void tell_blocked(const std::string& why);
    void note_evicted(std::string described);
    [[nodiscard]] std::string with_strangers(std::string text) const;
    void note_outage(const SampleUnits::Value& samples);
    [[nodiscard]] bool serves_anew(std::size_t index, const SampleUnits::Value& samples) const;
    [[nodiscard]] std::optional<std::string> replaced_among(
        const std::vector<std::string>& units, const SampleUnits::Value& samples) const;
    [[nodiscard]] std::string lockout_sentence() const;
    [[nodiscard]] std::optional<std::size_t> idle_surge(  // surge.cpp
        const SampleUnits::Value& samples) const;
    Script<> start_surge(std::size_t index);
    Script<> stop_surge();
    Script<> stop_surge_unit(std::size_t index);
    Script<> roll();  // roll_out.cpp
    void tell_batch();
    Script<> roll_what_was_begun();
    Script<bool> roll_batches();
    [[nodiscard]] int first_open_batch() const;
    Script<> plan_started_units(int batch);
    void note_processes(const SampleUnits::Value& samples);
    Script<> roll_unit(std::size_t index);
    [[nodiscard]] bool may_go_down(std::size_t index,  // restart.cpp
                                   const SampleUnits::Value& samples) const;
    [[nodiscard]] int count_others_proven_by_systemd(std::size_t index,
                                                     const SampleUnits::Value& samples) const;
    [[nodiscard]] std::optional<std::string> might_be_allowed(
        std::size_t index, const SampleUnits::Value& samples) const;
    Script<> allow_restart(std::size_t index);
    Script<> meet_stopped(std::size_t index);
    Script<> make_room(std::size_t index, SampleUnits::Value samples, BootTime deadline);
    Script<> restart_first(std::size_t useless, std::size_t index);
    Script<> hold_for_replicas(std::string unit, std::string why, SampleUnits::Value samples);
    Script<> keep_token_file();
    Script<> record_restart(std::size_t index, SampleUnits::Sample own);
    static void begin_restart(UnitProgress& unit, const SampleUnits::Sample& own);
    static void not_begun(UnitProgress& unit);
    [[nodiscard]] std::optional<std::size_t> waiting_without_connection(
        const SampleUnits::Value& samples) const;
    [[nodiscard]] bool needs_restart(const UnitProgress& unit, const SampleUnits::Sample& sample,
                                     bool first_look) const;
    Script<std::optional<Fault>> restart(std::size_t index, BootTime sampled);
    Script<> verify(std::size_t index);  // proof.cpp
    void tell_unknown(std::size_t index, const Vigil& vigil);
    void note_proof(std::size_t index, const SampleUnits::Sample& own, std::string verified_by);
    void tell_proof(std::size_t index, const Vigil& vigil);
    Script<> hold_for_failure(std::size_t index, Vigil vigil);
    Script<Listing> listing_of(std::string connector);
    Script<> verify_replacement(std::string unit);
    Script<bool> soak_out();  // soak.cpp
    Script<bool> all_is_back(SampleUnits::Value samples);
    Script<std::optional<std::size_t>> soak();
    Script<std::optional<std::size_t>> watch(Milliseconds duration, Milliseconds at_least);
    void tell(const HealthFinding& finding);
    void tell_promotion(const HealthFinding::Promotion& promoted);
    void tell_decays(const HealthFinding& finding);
    void tell_new_soak();
    Script<> finish();  // finish.cpp
    Script<> conclude();
    Script<> await_api_list();
    [[nodiscard]] std::vector<std::string> units_absent_from(
        const std::vector<Connector>& connectors) const;
    [[nodiscard]] std::vector<std::string> stragglers_in(
        const std::vector<Connector>& connectors) const;
    [[nodiscard]] std::string closing_sentence() const;
    [[nodiscard]] HistoryEntry history_entry(const std::string& text) const;

    // What every chapter needs: asking, insisting, holding.
    template <class Asked>
    Question<Asked> ask(Asked action);
    template <class Asked>
    Script<typename Asked::Value> insist(Asked action, std::string purpose);
    template <class Asked>
    Script<typename Asked::Value> ask_or_refuse(Asked action, std::string purpose);
    Script<SampleUnits::Value> sample();
    void take_in(const SampleUnits::Value& samples);
    Script<std::vector<Connector>> list_connectors();
    Script<> sleep_for(Milliseconds duration);
    Script<> save(Phase phase);
    Script<> wait_out(Error error, std::string purpose, std::size_t attempt);
    Script<> hold(std::string reason, std::string text, std::string unit = {});
    Script<> watch_hold(bool durable);
    Script<> look_while_stopped();
    Script<> stand_still();
    [[nodiscard]] bool stands_still() const { return inputs_.paused && !record_.compromised; }
    void reopen_acknowledged_unit();
    [[nodiscard]] bool everyone_proven() const;
    Script<> refuse(std::string text);

    void start_over();                       // adoption.cpp
    void begin_waiting(std::string reason);  // rotation.cpp
    void waited_enough();
    void wait_for(std::string reason);
    void waited_for_it();
    void begin_step(Milliseconds duration);
    void end_step();
    void say(EventKind kind, Priority priority, std::string message, std::string unit = {},
             std::string result = {});
    [[nodiscard]] std::vector<std::string> unit_names() const;
    [[nodiscard]] bool gap_accepted() const;
    [[nodiscard]] std::string_view wanted_one() const;
    [[nodiscard]] std::size_t index_of(const std::string& unit) const;

    RotationInputs inputs_;
    RotationRecord record_;
    std::vector<std::string> findings_;  ///< Of the preflight; told, and no reason to refuse.
    RotationView view_;
    BootTime now_;
    WallTime wall_now_;
    std::vector<Event> events_;
    std::size_t waits_ = 0;         ///< How often anything had to be waited for.
    bool patch_confirmed_ = false;  ///< The PATCH answer itself carried our token.
    bool token_confirmed_ = false;  ///< Just now: the first batch need not ask again.
    bool token_was_ours_ = false;   ///< As far as this keyturnd has seen.
    bool all_over_again_ = false;   ///< The token changed underneath: no unit is on it.
    bool revert_wanted_ = false;    ///< By an operator, who has not been obeyed yet.
    bool waits_for_more_ = false;   ///< Than an answer: for replicas, a window, a view.
    Milliseconds healthy_for_{0};   ///< How long the last watch was.
    bool urgent_ = false;           ///< Fewer serve than have to, while nothing happens.
    std::vector<ProvenConnector> proven_;
    std::vector<Connector> strangers_;  ///< After a compromise: attached, and not surely ours.
    bool planned_ = true;               ///< It is known which units there are.
    BootTime taken_at_{};               ///< When Cloudflare took the new secret.
    int resends_ = 0;                   ///< How often a stranger was overruled after a compromise.
    std::string failed_unit_;           ///< Of ours, because of which it goes back.
    std::optional<BootTime> outage_began_;     ///< Ours were dropped, too, and none is back yet.
    std::map<std::string, int> replacements_;  ///< How often a verified unit's process changed.

    std::optional<Action> action_;
    std::optional<Answer> answer_;
    std::coroutine_handle<> asker_;
    Script<> story_;
};

}  // namespace keyturn
