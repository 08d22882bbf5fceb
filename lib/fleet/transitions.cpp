#include "fleet/transitions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

Error conflict(std::string text) {
    return Error{Fault::conflict, std::move(text), {}};
}

Error busy(std::string text) {
    return Error{Fault::busy, std::move(text), {}};
}

Result<void> check_lead(const FleetDocument& document, const Leadership& lead) {
    if (document.led_by(lead.host, lead.epoch)) return {};
    return Error{Fault::deposed,
                 document.lead ? fmt::format("{} leads the rotation now", document.lead->host)
                               : "this host does not lead the rotation any more",
                 {}};
}

void lead_from_here(FleetDocument& document, const std::string& host) {
    ++document.epoch;
    document.lead = FleetLead{host, 0};
}

void withdraw_granted(FleetDocument& document) {
    std::erase_if(document.turns,
                  [](const FleetTurn& turn) { return turn.state == TurnState::granted; });
}

FleetTurn* turn_numbered(FleetDocument& document, std::uint64_t number) {
    const auto found = std::ranges::find(document.turns, number, &FleetTurn::number);
    return found == document.turns.end() ? nullptr : &*found;
}

/// Finds a turn of a unit of this host.
Result<FleetTurn*> turn_of_host(FleetDocument& document, const std::string& host,
                                std::uint64_t number) {
    FleetTurn* turn = turn_numbered(document, number);
    const auto name = turn == nullptr ? std::nullopt : split_fleet_unit(turn->unit);
    if (!name || name->host != host) return conflict("the lead has withdrawn the turn");
    return turn;
}

bool same_process(const MemberUnit& left, const MemberUnit& right) {
    const UnitState& one = left.seen.state;
    const UnitState& other = right.seen.state;
    const auto connector = [](const MemberUnit& unit) {
        return unit.seen.readiness ? unit.seen.readiness->connector_id : "";
    };
    return left.name() == right.name() && one.active_state == other.active_state &&
           one.sub_state == other.sub_state && one.invocation == other.invocation &&
           connector(left) == connector(right);
}

/// The units as a decision saw them are the units that the members report now.
Result<void> check_unchanged(const FleetDocument& document, const TurnWish& wish) {
    const auto seen_on = [&](const std::string& host) {
        return std::ranges::find(wish.seen, host, &decltype(wish.seen)::value_type::first);
    };
    for (const auto& [host, member] : document.members) {
        const auto seen = seen_on(host);
        const bool same =
            seen != wish.seen.end() && std::ranges::equal(seen->second, member.units, same_process);
        if (!same) return busy(fmt::format("the units of {} have just changed", host));
    }
    return {};
}

/// A turn that nobody has taken is from an earlier plan, and ends with this one.
Result<void> make_way(FleetDocument& document, const TurnWish& wish) {
    if (wish.hurried) return {};
    std::erase_if(document.turns, [](const FleetTurn& turn) {
        return turn.state == TurnState::granted && !turn.hurried;
    });
    for (const FleetTurn& turn : document.turns) {
        if (turn.open()) return busy(fmt::format("{} has its turn", turn.unit));
    }
    return {};
}

/// A delivery is also a question: only a host that has looked since then knows which of its
/// processes may have read an earlier token.
void set_delivery(FleetDocument& document, const Fingerprint& token) {
    if (document.deliver == token) return;
    document.deliver = token;
    ++document.ask;
}

bool open_and_moving(const FleetDocument& document) {
    return document.state.rotation && !document.state.rotation->hold;
}

}  // namespace

Result<void> ask_members(FleetDocument& document, std::uint64_t number) {
    document.ask = std::max(document.ask, number);
    return {};
}

Result<void> begin_rotation(FleetDocument& document, const std::string& host,
                            const TunnelState& state, const RolloutPolicy& rules) {
    const RotationRecord& record = *state.rotation;
    const std::optional<RotationRecord>& open = document.state.rotation;
    if (open && *open == record && document.lead && document.lead->host == host) return {};
    const bool supersedes = record.compromised() && !(open && open->compromised());
    if (open && !supersedes) {
        return Error{Fault::deposed, "another host has begun a rotation of this tunnel", {}};
    }
    if (document.state.paused != state.paused && !record.compromised()) {
        return Error{Fault::deposed, "somebody has paused the rotations, or resumed them", {}};
    }
    lead_from_here(document, host);
    withdraw_granted(document);
    document.rules = rules;
    document.state.rotation = record;
    return {};
}

Result<void> take_over(FleetDocument& document, const std::string& host, const SilentLead& silent) {
    if (!document.state.rotation) return conflict("the rotation has ended");
    if (document.epoch != silent.epoch || document.lead != silent.lead) {
        const bool ours = document.lead && document.lead->host == host &&
                          document.epoch == silent.epoch + 1 && document.lead->beat == 0;
        if (ours) return {};
        return conflict("the lead works again, or another host was faster");
    }
    lead_from_here(document, host);
    return {};
}

Result<void> save_idle_state(FleetDocument& document, const TunnelState& before,
                             const TunnelState& state) {
    if (document.state.rotation || state.rotation) {
        return Error{Fault::deposed, "a rotation is open by now", {}};
    }
    if (document.state != before && document.state != state) {
        return Error{Fault::deposed, "another host has written the state of the tunnel", {}};
    }
    document.state = state;
    return {};
}

Result<void> set_idle_delivery(FleetDocument& document, const Fingerprint& token) {
    if (document.state.rotation) return conflict("a rotation is open by now");
    set_delivery(document, token);
    return {};
}

Result<void> hand_out(FleetDocument& document, const std::optional<SealedTokens>& sealed) {
    if (document.state.rotation) return conflict("a rotation is open by now");
    document.sealed = sealed;
    return {};
}

Result<void> save_record(FleetDocument& document, const Leadership& lead,
                         const TunnelState& state) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    if (state.rotation && !document.unstaged(*state.rotation).empty()) {
        return busy("a host has just come without the new token");
    }
    document.state = state;
    if (state.rotation && state.rotation->hold) withdraw_granted(document);
    return {};
}

Result<void> keep_sealed(FleetDocument& document, const Leadership& lead,
                         const std::optional<SealedTokens>& sealed) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    document.sealed = sealed;
    return {};
}

Result<void> deliver(FleetDocument& document, const Leadership& lead, const Fingerprint& token) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    set_delivery(document, token);
    return {};
}

Result<void> grant_turn(FleetDocument& document, const Leadership& lead, const TurnWish& wish) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    const auto name = split_fleet_unit(wish.unit);
    const auto member = name ? document.members.find(name->host) : document.members.end();
    if (member == document.members.end()) {
        return Error{Fault::missing, fmt::format("no host of the fleet has {}", wish.unit), {}};
    }
    if (!open_and_moving(document)) return conflict("the rotation is held");
    const FleetTurn* present = document.turn_of(wish.unit);
    if (present != nullptr && present->open()) return {};
    if (const auto free = make_way(document, wish); !free) return free;
    if (!document.has_token(member->second)) {
        return busy(fmt::format("{} does not have the token yet", name->host));
    }
    if (const auto same = check_unchanged(document, wish); !same) return same;
    std::erase_if(document.turns, [&](const FleetTurn& turn) { return turn.unit == wish.unit; });
    FleetTurn turn;
    turn.number = ++document.turns_granted;
    turn.unit = wish.unit;
    turn.rotation_id = document.state.rotation->rotation_id;
    turn.verb = wish.verb;
    turn.deadline = wish.deadline;
    turn.hurried = wish.hurried;
    document.turns.push_back(std::move(turn));
    return {};
}

Result<void> withdraw_turn(FleetDocument& document, const Leadership& lead, std::uint64_t number) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    const FleetTurn* turn = turn_numbered(document, number);
    if (turn == nullptr) return {};
    if (turn->state != TurnState::granted) return conflict("the host has taken its turn");
    std::erase_if(document.turns, [&](const FleetTurn& one) { return one.number == number; });
    return {};
}

Result<void> clear_turn(FleetDocument& document, const Leadership& lead, std::uint64_t number) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    std::erase_if(document.turns,
                  [&](const FleetTurn& turn) { return turn.number == number && !turn.open(); });
    return {};
}

Result<void> beat(FleetDocument& document, const Leadership& lead) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    ++document.lead->beat;
    return {};
}

Result<void> abdicate(FleetDocument& document, const Leadership& lead) {
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    document.lead.reset();
    return {};
}

Result<void> conclude(FleetDocument& document, const Leadership& lead, const TunnelState& state,
                      const HistoryEntry& entry) {
    const bool told = document.last && same_end(*document.last, entry);
    if (!document.lead && !document.state.rotation && told) return {};
    if (const auto leads = check_lead(document, lead); !leads) return leads;
    document.state = state;
    document.state.rotation.reset();
    document.last = entry;
    document.last->units.clear();
    document.sealed.reset();
    document.lead.reset();
    withdraw_granted(document);
    std::erase_if(document.turns, [](const FleetTurn& turn) { return !turn.open(); });
    return {};
}

Result<void> report(FleetDocument& document, const std::string& host, const FleetMember& member) {
    const auto found = document.members.find(host);
    if (found == document.members.end()) {
        return Error{Fault::missing, fmt::format("{} is not a member of the fleet", host), {}};
    }
    if (found->second.install != member.install) {
        return conflict(fmt::format("another installation is {} now", host));
    }
    found->second = member;
    return {};
}

Result<void> take_turn(FleetDocument& document, const std::string& host, std::uint64_t number,
                       const std::string& invocation, const Fingerprint& file) {
    const auto found = turn_of_host(document, host, number);
    if (!found) return found.error();
    FleetTurn& turn = **found;
    if (turn.state == TurnState::taken && turn.invocation_before == invocation) return {};
    if (turn.state != TurnState::granted) return conflict("the turn is over");
    const bool current =
        open_and_moving(document) && document.state.rotation->rotation_id == turn.rotation_id;
    if (!current) return conflict("the rotation is held, or another one is open");
    const UnitProgress* planned = document.state.rotation->find(turn.unit);
    if (planned == nullptr || planned->step != UnitStep::restarting) {
        return conflict("the lead has another plan by now");
    }
    if (file != document.deliver) return conflict("the token file has to change first");
    turn.state = TurnState::taken;
    turn.invocation_before = invocation;
    return {};
}

Result<void> end_turn(FleetDocument& document, const std::string& host, std::uint64_t number,
                      const Result<RestartResult>& outcome) {
    const auto found = turn_of_host(document, host, number);
    if (!found) return {};
    FleetTurn& turn = **found;
    if (turn.state == TurnState::ended) return {};
    const bool declined = !outcome && outcome.error().fault == Fault::busy;
    if (turn.state != TurnState::taken && !declined) return conflict("the turn was not taken");
    turn.state = TurnState::ended;
    if (outcome) {
        turn.result = outcome->result;
        turn.not_reset = outcome->not_reset;
    } else {
        turn.fault = outcome.error().fault;
        turn.why = outcome.error().text;
    }
    return {};
}

}  // namespace keyturn
