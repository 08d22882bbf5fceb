#pragma once

#include "rotation/record.hpp"
#include "state/json_members.hpp"

#include <string>
#include <type_traits>
#include <utility>

namespace keyturn {

// The members of each record, listed once for both directions: `visit` writes or reads a member.

template <class Visitor, IsA<UnitProgress> Record>
void describe(Visitor& visit, Record& unit) {
    visit("name", unit.name);
    visit("batch", unit.batch);
    visit("baseline", unit.baseline);
    visit("step", unit.step);
    visit.later("invocation_old", unit.invocation_old);
    visit("invocation_before", unit.invocation_before);
    visit("connector_before", unit.connector_before);
    visit("stop_and_start_ms", unit.stop_and_start);
    visit("connector_after", unit.connector_after);
    visit.later("invocation_after", unit.invocation_after);
    visit("verified_by", unit.verified_by);
    visit("surge", unit.surge);
    visit.later("dropped", unit.dropped);
    if constexpr (!std::is_const_v<Record>) {
        const bool earlier = visit.lacks("invocation_old");
        if (earlier && unit.step == UnitStep::waiting) {
            unit.invocation_old = std::exchange(unit.invocation_before, std::string());
        }
    }
}

template <class Visitor, IsA<Hold> Record>
void describe(Visitor& visit, Record& hold) {
    visit("reason", hold.reason);
    visit("text", hold.text);
    visit("unit", hold.unit);
    visit("since_ms", hold.since);
}

template <class Visitor, IsA<RotationRequest> Record>
void describe(Visitor& visit, Record& request) {
    visit("trigger", request.trigger);
    visit("accept_gap", request.accept_gap);
    visit("scheduled", request.scheduled);
    visit.flag("takes_over", RotationKind::takeover, request.kind);
    visit.flag("compromised", RotationKind::compromise, request.kind);
    visit.later_flag("adopts", RotationKind::adopt, request.kind);
    visit.later_flag("releases", RotationKind::release, request.kind);
    visit.later("moved_units", request.units);
    visit("evict_all", request.evict_all);
}

template <class Visitor, IsA<RotationRecord> Record>
void describe(Visitor& visit, Record& rotation) {
    visit("rotation_id", rotation.rotation_id);
    describe(visit, rotation.request);
    visit("phase", rotation.phase);
    visit("started_ms", rotation.started);
    visit("committed_ms", rotation.committed);
    visit("old_fingerprint", rotation.old_fingerprint);
    visit("new_fingerprint", rotation.new_fingerprint);
    visit("adopted", rotation.foreign);
    visit("reverting", rotation.reverting);
    visit("evicted", rotation.evicted);
    visit("superseded", rotation.superseded);
    visit("adoptions", rotation.take_overs);
    visit("proven", rotation.proven);
    visit("refusal", rotation.refusal);
    visit("batch", rotation.batch);
    visit("units", rotation.units);
    visit("connectors_before", rotation.connectors_before);
    visit("hold", rotation.hold);
}

template <class Visitor, IsA<HistoryEntry> Record>
void describe(Visitor& visit, Record& entry) {
    visit("rotation_id", entry.rotation_id);
    visit("trigger", entry.trigger);
    visit("outcome", entry.outcome);
    visit("text", entry.text);
    visit("started_ms", entry.started);
    visit("ended_ms", entry.ended);
    visit("old_fingerprint", entry.old_fingerprint);
    visit("new_fingerprint", entry.new_fingerprint);
    visit("units", entry.units);
}

template <class Visitor, IsA<UnitStart> Record>
void describe(Visitor& visit, Record& start) {
    visit("unit", start.unit);
    visit("invocation", start.invocation);
    visit("fingerprint", start.fingerprint);
    visit("certain", start.certain);
}

template <class Visitor, IsA<TunnelState> Record>
void describe(Visitor& visit, Record& state) {
    visit("first_seen_ms", state.first_seen);
    visit("last_done_ms", state.last_done);
    visit("rotation", state.rotation);
    visit("paused_ms", state.paused);
    visit("retired", state.retired);
    visit.later("delivered", state.delivered);
    visit.later("starts", state.starts);
}

}  // namespace keyturn
