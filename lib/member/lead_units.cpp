// The actions of a lead that deal with units of all hosts.

#include "clock/clock.hpp"
#include "member/lead_executor.hpp"
#include "model/unit_command.hpp"
#include "rotation/chapter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

InspectUnits::Unit inspected(const std::string& tunnel, const std::string& host,
                             const FleetMember& member, const MemberUnit& unit,
                             std::uint64_t asked) {
    InspectUnits::Unit setup = unit.setup;
    setup.name = fleet_unit(host, unit.name());
    if (member.answers < asked) {
        setup.problem = fmt::format(
            "{} does not answer: `keyturnctl status` there says why; start keyturnd if it does "
            "not run; if the host is gone for ever, run `{}`",
            host, decommission_command(tunnel, host));
        setup.elsewhere = false;
    }
    return setup;
}

}  // namespace

Task<Result<ListConnectors::Value>> LeadExecutor::act(const ListConnectors& action) {
    auto listed = co_await pass_on(action);
    listed_.reset();
    if (listed) listed_ = *listed;
    listed_at_ = world_.clock.boot_now();
    co_return listed;
}

/// What the members said last is enough for a check of an idle tunnel, because asking is a write,
/// and after a compromise, because an answer takes time.
Task<Result<InspectUnits::Value>> LeadExecutor::act(const InspectUnits&) {
    const auto seen = co_await look_if_older(times_.hasty_look);
    if (!seen) co_return seen.error();
    const bool asks = leading_.lead && !in_a_hurry();
    if (asks) {
        const auto answered = co_await ask_all();
        if (!answered) co_return answered.error();
    }
    const FleetDocument& document = *fleet_.seen();
    const std::uint64_t asked = asks ? document.ask : 0;
    InspectUnits::Value value;
    for (const auto& [host, member] : document.members) {
        for (const MemberUnit& unit : member.units) {
            value.push_back(inspected(policy_.name, host, member, unit, asked));
        }
    }
    co_return value;
}

/// Returns once every member has answered, or has had its time to.
Task<Result<void>> LeadExecutor::ask_all() {
    const std::uint64_t number = fleet_.seen()->ask + 1;
    FleetTransition asking = [number](FleetDocument& document) {
        return ask_members(document, number);
    };
    const auto asked = co_await change(std::move(asking));
    if (!asked) co_return asked.error();
    const BootTime deadline = world_.clock.boot_now() + times_.answer;
    for (;;) {
        const bool all = std::ranges::all_of(fleet_.seen()->members, [&](const auto& member) {
            return member.second.answers >= number;
        });
        const BootTime now = world_.clock.boot_now();
        if (all || now >= deadline) co_return Result<void>();
        const BootTime next = std::min(deadline, now + times_.hasty_look);
        co_await world_.clock.sleep_until(next);
        auto seen = co_await fleet_.look();
        if (!seen) co_return Error{Fault::unreachable, seen.error().text, {}};
    }
}

Task<Result<SampleUnits::Value>> LeadExecutor::act(const SampleUnits& action) {
    // While nothing is open, what the follower reads once a minute is enough.
    const Milliseconds age = leading_.lead ? times_.hasty_look : 2 * times_.idle_look;
    const auto seen = co_await look_if_older(age);
    if (!seen) co_return seen.error();
    if (world_.clock.boot_now() - listed_at_ >= list_interval) {
        const ListConnectors question;
        static_cast<void>(co_await act(question));
    }
    sampled_.clear();
    for (const auto& [host, member] : fleet_.seen()->members) {
        sampled_.emplace_back(host, member.units);
    }
    SampleUnits::Value value;
    for (const std::string& unit : action.names) value.push_back(sample_of(unit));
    co_return value;
}

/// What its host says about the unit's process, and what Cloudflare says about its connections: a
/// host that has died still has its last report in the object.
SampleUnits::Sample LeadExecutor::sample_of(const std::string& unit) const {
    SampleUnits::Sample sample;
    const auto name = split_fleet_unit(unit);
    const FleetDocument& document = *fleet_.seen();
    const auto& members = document.members;
    const auto member = name ? members.find(name->host) : members.end();
    const MemberUnit* reported =
        member == members.end() ? nullptr : member->second.find(name->unit);
    if (reported != nullptr) sample = reported->seen;
    sample.state.name = unit;
    if (reported == nullptr) sample.state.load_state = "not-found";
    sample.behind = reported != nullptr && !document.has_token(member->second);
    if (!sample.readiness) return sample;
    if (!listed_) {
        sample.readiness.reset();
        sample.unasked = "Cloudflare does not list the connectors now";
        return sample;
    }
    const auto connector =
        std::ranges::find(*listed_, sample.readiness->connector_id, &Connector::id);
    sample.readiness->connections = connector == listed_->end() ? 0 : connector->connections;
    return sample;
}

Task<Result<RestartResult>> LeadExecutor::act(const RestartUnit& action) {
    if (const auto age = local_.check_age(action.not_after); !age) co_return age.error();
    TurnWish wish;
    wish.unit = action.unit;
    wish.verb = action.verb;
    wish.deadline = action.deadline;
    wish.hurried = action.deadline == Milliseconds{0};
    wish.seen = sampled_;
    const bool hurried = wish.hurried;
    const auto number = co_await grant(std::move(wish));
    if (!number) co_return number.error();
    if (hurried) co_return RestartResult(JobResult::queued);
    const BootTime granted = watched_until();
    const Milliseconds deadline = action.deadline;
    for (;;) {
        auto result = co_await result_of(*number, granted, deadline);
        if (result) co_return std::move(*result);
        const BootTime next = world_.clock.boot_now() + times_.roll_look;
        co_await fleet_.wait_for_change(next);
        static_cast<void>(co_await fleet_.look());
    }
}

/// Returns the number of the turn.
Task<Result<std::uint64_t>> LeadExecutor::grant(TurnWish wish) {
    const std::string unit = wish.unit;
    FleetTransition granting = [lead = own_lead(),
                                wish = std::move(wish)](FleetDocument& document) {
        return grant_turn(document, lead, wish);
    };
    const auto granted = co_await change(std::move(granting));
    if (granted) co_return granted->turn_of(unit)->number;
    const FleetDocument& seen = *fleet_.seen();
    for (const FleetTurn& turn : seen.turns) {
        const bool other = turn.open() && turn.unit != unit;
        if (other) co_return no_answer_from(turn.unit, "has its turn and does not end it");
    }
    const auto member = seen.members.find(std::string(host_of(unit)));
    const bool behind = member != seen.members.end() && !seen.has_token(member->second);
    if (behind) co_return no_answer_from(unit, "does not have the new token yet");
    co_return granted.error();
}

/// Nothing: it is not decided yet.
Task<std::optional<Result<RestartResult>>> LeadExecutor::result_of(std::uint64_t number,
                                                                   BootTime granted,
                                                                   Milliseconds deadline) {
    std::optional<Result<RestartResult>> result;
    const auto& turns = fleet_.seen()->turns;
    const auto found = std::ranges::find(turns, number, &FleetTurn::number);
    if (found == turns.end()) {
        result = Error{Fault::busy, "the turn is gone", {}};
        co_return result;
    }
    const FleetTurn turn = *found;
    const Milliseconds waited = watched_until() - granted;
    if (turn.state == TurnState::granted && waited >= times_.take) {
        result = co_await withdraw(turn);
        co_return result;
    }
    if (turn.state == TurnState::taken && waited >= deadline + times_.silence) {
        result = Error{
            Fault::silent,
            fmt::format("{} took its turn and has said nothing since: look at that host; if it "
                        "is gone for ever, run `{}`",
                        turn.unit, decommission_command(policy_.name, host_of(turn.unit))),
            {}};
        co_return result;
    }
    if (turn.open()) co_return result;
    silent_since_.clear();
    FleetTransition clearing = [lead = own_lead(), number](FleetDocument& document) {
        return clear_turn(document, lead, number);
    };
    // If this fails, the next turn of the unit replaces it.
    static_cast<void>(co_await change(std::move(clearing)));
    if (turn.result) {
        RestartResult ended(*turn.result);
        ended.not_reset = turn.not_reset;
        result = ended;
    } else {
        result = Error{turn.fault.value_or(Fault::unreachable), turn.why, {}};
    }
    co_return result;
}

Task<Result<RestartResult>> LeadExecutor::withdraw(FleetTurn turn) {
    FleetTransition withdrawing = [lead = own_lead(),
                                   number = turn.number](FleetDocument& document) {
        return withdraw_turn(document, lead, number);
    };
    const auto withdrawn = co_await change(std::move(withdrawing));
    if (!withdrawn) co_return withdrawn.error();
    co_return no_answer_from(turn.unit, "does not take its turn");
}

/// Temporary at first; later a matter for a person.
Error LeadExecutor::no_answer_from(const std::string& unit, std::string what) {
    const BootTime now = watched_until();
    const BootTime since = silent_since_.try_emplace(unit, now).first->second;
    const auto name = split_fleet_unit(unit);
    return Error{
        now - since >= times_.silence ? Fault::silent : Fault::busy,
        fmt::format("{} {}: start keyturnd on {}; if that host is gone for ever, run `{}`", unit,
                    what, name->host, decommission_command(policy_.name, name->host)),
        {}};
}

Task<Result<JobResult>> LeadExecutor::act(const StopUnit&) {
    co_return Error{Fault::invalid, "a fleet has no extra connector", {}};
}

}  // namespace keyturn
