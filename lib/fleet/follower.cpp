#include "fleet/follower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// How often a host looks at its own units while one of them has its turn, or the object cannot be
/// read.
constexpr Milliseconds short_rest = std::chrono::seconds{1};

/// Without what changes all the time: a connection more or less is no news.
MemberUnit without_counts(MemberUnit unit) {
    unit.seen.state.main_pid = unit.seen.state.main_pid != 0 ? 1 : 0;
    unit.seen.state.control_group_id = 0;
    if (unit.seen.readiness) {
        unit.seen.readiness->connections = std::min(unit.seen.readiness->connections, 1);
    }
    return unit;
}

/// Hosts that look at the same moment would only disturb each other.
Milliseconds spread(Milliseconds interval, const std::string& host) {
    constexpr int steps = 41;  // From 80 to 120 percent.
    const auto place = static_cast<int>(std::hash<std::string>()(host) % steps);
    return interval * (80 + place) / 100;
}

/// The lead then looks again, and grants another turn.
Result<RestartResult> not_restarted(std::string why) {
    return Error{Fault::busy, std::move(why), {}};
}

}  // namespace

std::vector<std::string> FollowerTrouble::texts() const {
    std::vector<std::string> texts{store, standing, host, delivery};
    std::erase(texts, "");
    return texts;
}

template <class Asked>
class Follower::Asking {
  public:
    Asking(Follower& follower, Asked action) : follower_(follower), action_(std::move(action)) {}

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> asker) {
        follower_.asker_ = asker;
        follower_.action_.emplace(std::move(action_));
    }
    Result<typename Asked::Value> await_resume() {
        return std::move(std::get<Answered<Asked>>(*follower_.answer_).result);
    }

  private:
    Follower& follower_;
    Asked action_;
};

template <class Asked>
Follower::Asking<Asked> Follower::ask(Asked action) {
    return Asking<Asked>(*this, std::move(action));
}

Follower::Follower(FleetSelf self, FleetTimes times, BootTime now)
    : self_(std::move(self)), times_(times), now_(now) {
    script_ = tell();
    script_.start();
}

void Follower::answer(FollowerAnswer answer, BootTime now) {
    now_ = now;
    answer_.emplace(std::move(answer));
    std::exchange(asker_, nullptr).resume();
}

Script<> Follower::tell() {
    for (;;) {
        const bool seen = co_await look();
        bool known = false;
        if (seen) known = co_await see_own_host();
        if (known) {
            co_await stage();
            co_await deliver();
            co_await take_turns();
            co_await restart_useless();
            co_await report();
        }
        RestAWhile rest;
        rest.until = now_ + interval();
        static_cast<void>(co_await ask(rest));
    }
}

/// Returns false if there is nothing to act on.
Script<bool> Follower::look() {
    const BootTime sent = now_;
    const LookAtObject question;
    auto document = co_await ask(question);
    if (!document) {
        trouble_.store = document.error().text;
        co_return false;
    }
    trouble_.store.clear();
    take_in(std::move(*document), sent);
    if (clashes_) co_return true;
    trouble_.standing.clear();
    const FleetMember* present = entry();
    if (present == nullptr) {
        trouble_.standing = fmt::format("the fleet does not have {} any more", self_.host);
    } else if (present->install != self_.entry.install) {
        trouble_.standing = fmt::format("another installation is {} now", self_.host);
    }
    co_return trouble_.standing.empty();
}

/// `sent`: when it was asked for. What it does not have happened after that.
void Follower::take_in(FleetDocument document, BootTime sent) {
    if (document.turns_granted != document_.turns_granted) {
        grants_before_ = document_.turns_granted;
        granted_after_ = looked_;
    }
    document_ = std::move(document);
    looked_ = sent;
}

Script<bool> Follower::see_own_host() {
    const std::uint64_t asked = document_.ask;
    SeeOwnHost question;
    question.inspect = own_.units.empty() || answers_ != asked;
    auto seen = co_await ask(question);
    trouble_.host = seen ? "" : seen.error().text;
    if (!seen) co_return false;
    take_in(std::move(*seen));
    answers_ = asked;
    co_return true;
}

void Follower::take_in(SeeOwnHost::Value seen) {
    note_fresh_units(seen);
    own_ = std::move(seen);
    for (const MemberUnit& unit : own_.units) {
        if (!unit.seen.idle() || !unit.seen.state.running()) {
            useless_since_.erase(unit.name());
        } else {
            useless_since_.try_emplace(unit.name(), now_);
        }
    }
}

/// A process that has begun while the file held its present token has read that one.
void Follower::note_fresh_units(const SeeOwnHost::Value& seen) {
    if (own_.file != seen.file) fresh_.clear();
    for (const MemberUnit& unit : seen.units) {
        const MemberUnit* before = own_unit(unit.name());
        const std::string& invocation = unit.seen.state.invocation;
        const bool began = before != nullptr && before->seen.state.invocation != invocation;
        if (began && own_.file == seen.file) fresh_[unit.name()] = invocation;
    }
}

/// The token has to be on the disk before Cloudflare knows it: a host that is cut off or restarts
/// right after that can deliver it all the same.
Script<> Follower::stage() {
    const std::optional<SealedTokens>& sealed = document_.sealed;
    if (!sealed || sealed == staged_) co_return;
    StageToken wish;
    wish.rotation_id = sealed->rotation_id;
    const auto staged = co_await ask(wish);
    trouble_.delivery = staged ? "" : staged.error().text;
    if (staged) staged_ = sealed;
}

Script<> Follower::deliver() {
    const bool staged = !document_.sealed || document_.sealed == staged_;
    if (staged) trouble_.delivery.clear();
    if (document_.deliver.empty() || own_.file == document_.deliver) co_return;
    ReplaceToken wish;
    wish.token = document_.deliver;
    const auto replaced = co_await ask(wish);
    trouble_.delivery = replaced ? "" : replaced.error().text;
    if (!replaced) co_return;
    // The same place on the disk may have held the token of the rotation that has just begun.
    const auto& record = document_.state.rotation;
    if (record && record->phase == Phase::prepare) staged_.reset();
    // A process that began in between has read the token before.
    const bool known = co_await see_own_host();
    if (known) co_await report();
}

Script<> Follower::take_turns() {
    if (clashes_) co_return;
    const std::vector<FleetTurn> turns = document_.turns;
    for (const FleetTurn& turn : turns) {
        const auto name = split_fleet_unit(turn.unit);
        const bool ours = name && name->host == self_.host && own_unit(name->unit) != nullptr;
        if (ours && turn.open()) co_await take(turn);
    }
}

/// The lead has looked at the token and at all units just before it granted the turn. If that no
/// longer counts, the host wants another turn instead.
Script<> Follower::take(FleetTurn turn) {
    if (turn.state == TurnState::taken) {
        co_await settle(turn);
        co_return;
    }
    const MemberUnit unit = *own_unit(split_fleet_unit(turn.unit)->unit);
    const std::string objection = objection_to(turn, unit);
    if (!objection.empty()) {
        co_await end(turn, not_restarted(objection));
        co_return;
    }
    if (own_.file != document_.deliver) co_return;
    const BootTime sent = now_;
    FleetTransition taking = [host = self_.host, number = turn.number,
                              invocation = unit.seen.state.invocation,
                              file = own_.file](FleetDocument& document) {
        return take_turn(document, host, number, invocation, file);
    };
    const bool taken = co_await change(std::move(taking));
    if (taken) co_await use(turn, sent);
}

/// Why the host declines a turn; empty if it does not. A unit that cannot reconnect is restarted in
/// any case, because that costs nothing.
std::string Follower::objection_to(const FleetTurn& turn, const MemberUnit& unit) const {
    if (turn.hurried) return {};
    // By its own clock only: the host must have looked when there was no such turn yet.
    const bool recent =
        turn.number > grants_before_ && granted_after_ && now_ <= *granted_after_ + times_.take;
    if (!recent) return fmt::format("{} did not see when it got its turn", self_.host);
    // The lead may know it as one that serves nothing, and may restart at any time.
    const MemberUnit* told = entry()->find(unit.name());
    const bool came_back = told != nullptr && told->seen.idle() && !unit.seen.idle();
    return came_back ? turn.unit + " serves again" : "";
}

/// Ends a turn that was taken before. After a crash nobody knows how it went: if the unit runs as
/// another process than the one that the turn was taken for, the restart has happened.
Script<> Follower::settle(FleetTurn turn) {
    if (used_ && used_->number == turn.number) {
        co_await end(turn, used_->outcome);
        co_return;
    }
    const SampleUnits::Sample unit = own_unit(split_fleet_unit(turn.unit)->unit)->seen;
    if (unit.state.invocation != turn.invocation_before) {
        const RestartResult done{JobResult::done};
        co_await end(turn, done);
    } else if (!unit.state.job_pending) {
        co_await end(turn,
                     not_restarted(fmt::format("keyturnd ended on {} before it used the turn of {}",
                                               self_.host, unit.state.name)));
    }
}

/// `sent`: when this host sent that it takes the turn.
Script<> Follower::use(FleetTurn turn, BootTime sent) {
    RestartOwnUnit wish;
    wish.unit = split_fleet_unit(turn.unit)->unit;
    wish.rotation_id = turn.rotation_id;
    wish.verb = turn.verb;
    wish.deadline = turn.deadline;
    wish.not_after = sent + times_.take_age;
    auto outcome = co_await ask(std::move(wish));
    used_ = UsedTurn{turn.number, outcome};
    co_await end(turn, std::move(outcome));
}

/// One change tells both how the turn ended and how the unit is since: a lead that knew only the
/// first would restart the unit again. If the unit cannot be seen, the turn waits for the next try.
Script<> Follower::end(FleetTurn turn, Result<RestartResult> outcome) {
    const bool known = co_await see_own_host();
    if (!known) co_return;
    FleetTransition ending = [host = self_.host, number = turn.number, outcome = std::move(outcome),
                              entry = entry_now()](FleetDocument& document) {
        const Result<void> reported = keyturn::report(document, host, entry);
        if (!reported) return reported;
        return end_turn(document, host, number, outcome);
    };
    static_cast<void>(co_await change(std::move(ending)));
}

/// A unit that may have been started before the delivery and has lost every connection may not come
/// back by itself. Restarting it takes nothing down, so it needs no turn, once.
Script<> Follower::restart_useless() {
    if (useless_units().empty()) co_return;
    // Turns were taken meanwhile, or the store was slow: the unit may serve again.
    const bool known = co_await see_own_host();
    if (!known) co_return;
    const std::vector<std::string> units = useless_units();
    for (const std::string& unit : units) {
        fresh_[unit] = own_unit(unit)->seen.state.invocation;
        RestartOwnUnit wish;
        wish.unit = unit;
        wish.not_after = now_ + short_rest;
        static_cast<void>(co_await ask(std::move(wish)));
    }
}

std::vector<std::string> Follower::useless_units() const {
    std::vector<std::string> names;
    if (own_.file != document_.deliver) return names;
    for (const MemberUnit& unit : own_.units) {
        const auto since = useless_since_.find(unit.name());
        const bool long_enough =
            since != useless_since_.end() && now_ >= since->second + times_.useless;
        const auto fresh = fresh_.find(unit.name());
        const bool has_read = fresh != fresh_.end() && fresh->second == unit.seen.state.invocation;
        if (long_enough && !has_read && !unit.seen.state.job_pending) names.push_back(unit.name());
    }
    return names;
}

Script<> Follower::report() {
    const FleetMember now = entry_now();
    if (entry() == nullptr || !is_news(*entry(), now)) co_return;
    FleetTransition reporting = [host = self_.host, now](FleetDocument& document) {
        return keyturn::report(document, host, now);
    };
    static_cast<void>(co_await change(std::move(reporting)));
}

Script<bool> Follower::change(FleetTransition transition) {
    const BootTime sent = now_;
    ChangeObject wish;
    wish.transition = std::move(transition);
    auto document = co_await ask(std::move(wish));
    if (document) {
        trouble_.store.clear();
        take_in(std::move(*document), sent);
        co_return true;
    }
    // A turn that was withdrawn is no trouble.
    if (document.error().fault != Fault::conflict) trouble_.store = document.error().text;
    co_return false;
}

const FleetMember* Follower::entry() const {
    const auto found = document_.members.find(self_.host);
    return found == document_.members.end() ? nullptr : &found->second;
}

const MemberUnit* Follower::own_unit(const std::string& name) const {
    const auto found = std::ranges::find(own_.units, name, &MemberUnit::name);
    return found == own_.units.end() ? nullptr : &*found;
}

FleetMember Follower::entry_now() const {
    FleetMember now = self_.entry;
    now.answers = answers_;
    now.file = own_.file;
    if (staged_) now.staged = staged_->rotation_id;
    now.problem = own_.problem;
    now.lacks = trouble_.delivery;
    now.units = own_.units;
    if (entry() != nullptr) now.mark = entry()->mark;
    return now;
}

Milliseconds Follower::interval() const {
    if (!trouble_.host.empty()) return short_rest;
    return look_interval(document_, self_.host, times_);
}

Milliseconds look_interval(const FleetDocument& document, const std::string& host,
                           const FleetTimes& times) {
    const std::optional<RotationRecord>& record = document.state.rotation;
    if (!record) return spread(times.idle_look, host);
    switch (record->phase) {
        case Phase::preflight:
        case Phase::prepare:
        case Phase::commit:
        case Phase::revert: return times.hasty_look;
        case Phase::roll:
        case Phase::finish: return record->hold ? times.soak_look : times.roll_look;
        case Phase::soak: break;
    }
    return times.soak_look;
}

bool is_news(const FleetMember& before, const FleetMember& now) {
    FleetMember one = before;
    FleetMember other = now;
    if (say_the_same(one.lacks, other.lacks)) other.lacks = one.lacks;
    for (FleetMember* member : {&one, &other}) {
        for (MemberUnit& unit : member->units) unit = without_counts(unit);
    }
    return one != other;
}

}  // namespace keyturn
