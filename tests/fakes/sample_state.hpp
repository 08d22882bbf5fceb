#pragma once

#include "fakes/web_tunnel.hpp"
#include "state/record_json.hpp"

#include <string>

namespace keyturn {

inline UnitProgress sample_unit(const std::string& name, UnitStep step) {
    UnitProgress unit;
    unit.name = name;
    unit.batch = 1;
    unit.baseline = 4;
    unit.step = step;
    unit.invocation_old = "1f1e1d1c1b1a19181716151413121110";
    unit.invocation_before = "0f0e0d0c0b0a09080706050403020100";
    unit.connector_before = "11111111-2222-3333-4444-555555555555";
    unit.stop_and_start = Milliseconds(105'000);
    unit.invocation_after = "2f2e2d2c2b2a29282726252423222120";
    unit.connector_after = "66666666-2222-3333-4444-555555555555";
    unit.verified_by = "systemd, ready, api";
    unit.surge = step == UnitStep::waiting;
    return unit;
}

/// A state with every member set, and texts that JSON has to escape.
inline TunnelState sample_state(int batch = 1) {
    RotationRecord rotation;
    rotation.rotation_id = "0123456789abcdef0123456789abcdef";
    rotation.request.trigger = "operator said \"now\"\n\t\\ \xc3\xa9";
    rotation.phase = Phase::soak;
    rotation.started = WallTime(Milliseconds(1'764'000'000'123));
    rotation.committed = WallTime(Milliseconds(1'764'000'001'456));
    rotation.old_fingerprint = "00112233445566aa";
    rotation.new_fingerprint = "ffeeddccbbaa0099";
    rotation.request.kind = RotationKind::compromise;
    rotation.request.accept_gap = true;
    rotation.request.scheduled = true;
    rotation.foreign = true;
    rotation.reverting = "a unit did not come back";
    rotation.request.evict_all = true;
    rotation.evicted = true;
    rotation.superseded = "fedcba9876543210fedcba9876543210";
    rotation.take_overs = 1;
    rotation.proven = true;
    rotation.refusal = "the API token lacks Write";
    rotation.batch = batch;
    rotation.units = {sample_unit(a, UnitStep::verified), sample_unit(b, UnitStep::waiting)};
    rotation.connectors_before = {"11111111-2222-3333-4444-555555555555", "other"};
    rotation.hold = Hold{HoldReason::verification_failed, "it did not connect", b,
                         WallTime(Milliseconds(1'764'000'002'000))};
    TunnelState state;
    state.first_seen = WallTime(Milliseconds(1'700'000'000'000));
    state.last_done = WallTime(Milliseconds(1'760'000'000'001));
    state.rotation = rotation;
    state.paused = WallTime(Milliseconds(1'764'000'003'000));
    state.delivered = "00112233445566aa";
    state.starts = {{a, "0123456789abcdef0123456789abcdef", "00112233445566aa", true}};
    return state;
}

inline HistoryEntry sample_entry(const std::string& rotation_id) {
    HistoryEntry entry;
    entry.rotation_id = rotation_id;
    entry.trigger = "schedule";
    entry.outcome = Outcome::done;
    entry.text = "Rotated; 2 units verified.";
    entry.started = WallTime(Milliseconds(1'764'000'000'123));
    entry.ended = WallTime(Milliseconds(1'764'000'900'000));
    entry.old_fingerprint = "00112233445566aa";
    entry.new_fingerprint = "ffeeddccbbaa0099";
    entry.units = {sample_unit(a, UnitStep::verified)};
    return entry;
}

}  // namespace keyturn
