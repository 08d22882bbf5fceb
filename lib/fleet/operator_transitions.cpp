#include "fleet/operator_transitions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// Otherwise the effect is only in the memory of the lead, which may die.
bool shows_effect(const FleetDocument& document, OrderKind kind) {
    const std::optional<RotationRecord>& record = document.state.rotation;
    if (!record) return true;
    if (kind == OrderKind::revert) return record->reverts() || !record->refusal.empty();
    return kind != OrderKind::retry || !record->hold;
}

/// Whether a unit of the fleet, HOST/UNIT, is on this host.
struct UnitOf {
    const std::string& host;

    bool operator()(std::string_view unit) const {
        const auto name = split_fleet_unit(unit);
        return name && name->host == host;
    }
};

/// The lead has the old plan in memory. The next one, perhaps the same, begins from the record.
void begin_from_record(FleetDocument& document) {
    ++document.epoch;
    document.lead.reset();
}

}  // namespace

Result<void> order(FleetDocument& document, const FleetOrder& given) {
    FleetOrder& present = document.order;
    const bool same =
        present.kind == given.kind && present.request == given.request && present.by == given.by;
    if (present.id == given.id || (present.open() && same)) return {};
    if (present.open() && !given.urgent()) {
        return Error{
            Fault::busy,
            fmt::format("no host has carried out the order before it yet ({}, typed on {})",
                        name_of(present.kind), present.by),
            {}};
    }
    const FleetOrder before = std::exchange(present, given);
    present.number = before.number + 1;
    present.done = before.done;
    present.refusal.clear();
    return {};
}

Result<void> answer_order(FleetDocument& document, std::uint64_t number,
                          const std::string& refusal) {
    FleetOrder& present = document.order;
    if (present.number != number || !present.open()) return {};
    if (refusal.empty() && !shows_effect(document, present.kind)) return {};
    present.done = number;
    present.refusal = refusal;
    return {};
}

Result<void> join(FleetDocument& document, const std::string& host, const FleetMember& member) {
    const auto found = document.members.find(host);
    if (found != document.members.end() && found->second.install != member.install) {
        return Error{Fault::conflict, fmt::format("another installation is {} already", host), {}};
    }
    document.members[host] = member;
    return {};
}

Result<void> rejoin(FleetDocument& document, const std::string& host, const FleetMember& member) {
    const auto found = document.members.find(host);
    const bool done = found != document.members.end() && found->second.install == member.install;
    document.members[host] = member;
    if (done) return {};
    const UnitOf of_host{host};
    std::erase_if(document.state.starts,
                  [&](const UnitStart& start) { return of_host(start.unit); });
    if (!document.state.rotation) return {};
    RotationRecord& record = *document.state.rotation;
    for (UnitProgress& unit : record.units) {
        if (!of_host(unit.name) || unit.step == UnitStep::listed || unit.surge) continue;
        unit.step = record.may_restart(unit) ? UnitStep::waiting : UnitStep::listed;
        unit.invocation_old.clear();
        unit.invocation_before.clear();
    }
    begin_from_record(document);
    return {};
}

Result<void> decommission(FleetDocument& document, const std::string& host) {
    if (document.members.erase(host) == 0) return {};
    const UnitOf of_host{host};
    std::erase_if(document.turns, [&](const FleetTurn& turn) { return of_host(turn.unit); });
    std::erase_if(document.state.starts,
                  [&](const UnitStart& start) { return of_host(start.unit); });
    if (!document.state.rotation) return {};
    RotationRecord& record = *document.state.rotation;
    std::erase_if(record.units, [&](const UnitProgress& unit) { return of_host(unit.name); });
    const bool lifts = record.hold && (of_host(record.hold->unit) ||
                                       record.hold->reason == HoldReason::host_silent);
    if (lifts) record.hold.reset();
    begin_from_record(document);
    return {};
}

}  // namespace keyturn
