#pragma once

#include "fleet/follower_action.hpp"
#include "fleet/times.hpp"
#include "rotation/script.hpp"
#include "time/moment.hpp"

#include <coroutine>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// Who this host is in the fleet, and what it says about itself that does not change.
struct FleetSelf {
    std::string host;
    FleetMember entry;  ///< Without what it sees: file, staged, problem, units, answers.
};

/// What a follower cannot do for now, for people. Empty texts: all is well.
struct FollowerTrouble {
    std::string store;     ///< Why the object cannot be read or changed.
    std::string standing;  ///< Why this host takes no part: not a member, or there are two of it.
    std::string host;      ///< Why it cannot see its own units.
    std::string delivery;  ///< Why it does not have the token that it should have.

    /// Those that are not empty.
    [[nodiscard]] std::vector<std::string> texts() const;

    bool operator==(const FollowerTrouble&) const = default;
};

/// The part of one host in the rotations of its fleet, on the lead too: it stages and delivers the
/// token, takes its turn, restarts its units and reports. Nobody else touches them. Only decides,
/// like `Rotation`: `action()` is what it wants done, `answer()` gives it the result. It never
/// ends. Destroying it at any moment is the same as a crash, and is safe.
class Follower {
  public:
    Follower(FleetSelf self, FleetTimes times, BootTime now);
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    [[nodiscard]] const FollowerAction& action() const { return *action_; }
    void answer(FollowerAnswer answer, BootTime now);

    [[nodiscard]] const FollowerTrouble& trouble() const { return trouble_; }

    /// There is a second host with our identity, or our disk is an old copy: from now on this host
    /// takes no turn. Cannot be taken back: a person has to let it join again.
    void note_clash(std::string why) {
        trouble_.standing = std::move(why);
        clashes_ = true;
    }

  private:
    template <class Asked>
    class Asking;
    template <class Asked>
    Asking<Asked> ask(Asked action);

    struct UsedTurn {
        std::uint64_t number;
        Result<RestartResult> outcome;
    };

    Script<> tell();
    Script<bool> look();
    Script<bool> see_own_host();
    void take_in(FleetDocument document, BootTime sent);
    void take_in(SeeOwnHost::Value seen);
    void note_fresh_units(const SeeOwnHost::Value& seen);
    Script<> stage();
    Script<> deliver();
    Script<> take_turns();
    Script<> take(FleetTurn turn);
    [[nodiscard]] std::string objection_to(const FleetTurn& turn, const MemberUnit& unit) const;
    Script<> settle(FleetTurn turn);
    Script<> use(FleetTurn turn, BootTime sent);
    Script<> end(FleetTurn turn, Result<RestartResult> outcome);
    Script<> restart_useless();
    [[nodiscard]] std::vector<std::string> useless_units() const;
    Script<> report();
    Script<bool> change(FleetTransition transition);

    [[nodiscard]] const FleetMember* entry() const;
    [[nodiscard]] const MemberUnit* own_unit(const std::string& name) const;
    [[nodiscard]] FleetMember entry_now() const;
    [[nodiscard]] Milliseconds interval() const;

    FleetSelf self_;
    FleetTimes times_;
    BootTime now_;
    FleetDocument document_;
    std::optional<BootTime> looked_;         ///< When the present `document_` was asked for.
    std::optional<BootTime> granted_after_;  ///< When there were only `grants_before_` turns.
    std::uint64_t grants_before_ = 0;
    SeeOwnHost::Value own_;
    std::uint64_t answers_ = 0;  ///< The newest question at the last look at the own host.
    std::optional<SealedTokens> staged_;
    std::optional<UsedTurn> used_;                   ///< The last one.
    std::map<std::string, BootTime> useless_since_;  ///< Units without any connection.
    /// The processes that surely run on the token in the file, or were restarted for it.
    std::map<std::string, std::string> fresh_;
    FollowerTrouble trouble_;
    bool clashes_ = false;

    std::optional<FollowerAction> action_;
    std::optional<FollowerAnswer> answer_;
    std::coroutine_handle<> asker_;
    Script<> script_;
};

/// How often a host looks at the object in this situation.
[[nodiscard]] Milliseconds look_interval(const FleetDocument& document, const std::string& host,
                                         const FleetTimes& times);

/// True if two reports differ in something that another host can act on.
[[nodiscard]] bool is_news(const FleetMember& before, const FleetMember& now);

}  // namespace keyturn
