#pragma once

#include "fakes/sample_fleet.hpp"
#include "fakes/samples.hpp"

#include <string>

// A fleet in which all is well: one unit on each host, and the first two hosts may lead.

namespace keyturn {

inline const Fingerprint old_print = fingerprint_of(*decode_token(fleet_token('O').reveal()));
inline const Fingerprint new_print = fingerprint_of(*decode_token(fleet_token('N').reveal()));

/// The unit of a host.
inline std::string unit_of(int host) {
    return fleet_unit(sample_host(host), a);
}

/// 32 hex digits. Each host numbers its processes from its own number times 100.
inline std::string process(int number) {
    const std::string digits = std::to_string(number);
    return std::string(32 - digits.size(), '0') + digits;
}

inline std::string connector_of(int host) {
    return "connector-" + std::to_string(host);
}

inline MemberUnit small_unit(int host) {
    MemberUnit unit;
    unit.setup.name = a;
    unit.setup.stop_and_start = Milliseconds(105'000);
    unit.seen = serving(process(host * 100), connector_of(host), a);
    return unit;
}

inline FleetMember small_member(int host) {
    FleetMember member;
    member.install = std::string(32, static_cast<char>('0' + host));
    member.mark = std::string(16, static_cast<char>('0' + host));
    member.eligible = host <= 2;
    member.keys = {"k1"};
    member.min_available = 1;
    member.answers = 3;
    member.file = old_print;
    member.units = {small_unit(host)};
    return member;
}

/// Typed on a host: another order with each call.
inline FleetOrder order_of(OrderKind kind, const std::string& host = "host-2",
                           const RotationRequest& request = {}) {
    static int typed = 0;
    FleetOrder order;
    order.id = fmt::format("{:016x}", ++typed);
    order.kind = kind;
    order.request = request;
    order.by = host;
    return order;
}

/// No rotation is open.
inline FleetDocument idle_fleet(int hosts = 2) {
    FleetDocument document;
    document.fleet = fleet_id;
    document.account = account_id;
    document.tunnel = tunnel_id;
    document.rev = 10;
    document.nonce = "0011223344556677";
    document.writer = "host-1";
    document.epoch = 6;
    document.deliver = old_print;
    document.ask = 3;
    for (int host = 1; host <= hosts; ++host) {
        document.members.emplace(sample_host(host), small_member(host));
    }
    return document;
}

inline RotationRecord small_record(int hosts = 2) {
    RotationRecord record;
    record.rotation_id = fleet_rotation;
    record.phase = Phase::roll;
    record.old_fingerprint = old_print;
    record.new_fingerprint = new_print;
    record.batch = 1;
    for (int host = 1; host <= hosts; ++host) {
        UnitProgress unit;
        unit.name = unit_of(host);
        unit.batch = host;
        unit.baseline = full;
        record.units.push_back(unit);
    }
    return record;
}

/// Who leads a `rolling_fleet`.
inline constexpr std::uint64_t rolling_epoch = 7;

/// host-1 leads a rotation; every host has the new token in its file, and no unit has been
/// restarted yet.
inline FleetDocument rolling_fleet(int hosts = 2) {
    FleetDocument document = idle_fleet(hosts);
    document.epoch = rolling_epoch;
    document.lead = FleetLead{"host-1", 5};
    document.state.rotation = small_record(hosts);
    document.deliver = new_print;
    CountingRandom random;
    document.sealed = *fleet_keys().seal(document, random, fleet_tokens());
    for (auto& [host, member] : document.members) {
        member.file = new_print;
        member.staged = fleet_rotation;
    }
    return document;
}

/// A turn of the unit of this host.
inline FleetTurn small_turn(int host, TurnState state) {
    FleetTurn turn;
    turn.number = 4;
    turn.unit = unit_of(host);
    turn.rotation_id = fleet_rotation;
    turn.deadline = Milliseconds(120'000);
    turn.state = state;
    if (state != TurnState::granted) turn.invocation_before = process(host * 100);
    if (state == TurnState::ended) turn.result = JobResult::done;
    return turn;
}

/// The unit of this host has the only turn, as the record says.
inline void give_turn(FleetDocument& document, int host, TurnState state) {
    document.turns = {small_turn(host, state)};
    document.turns_granted = 4;
    document.state.rotation->units.at(static_cast<std::size_t>(host) - 1).step =
        UnitStep::restarting;
}

/// A `rolling_fleet` in which the unit of this host has a turn.
inline FleetDocument fleet_with_turn(int host, TurnState state) {
    FleetDocument document = rolling_fleet();
    give_turn(document, host, state);
    return document;
}

inline Hold small_hold(const std::string& unit = {}) {
    return Hold{HoldReason::verification_failed, "it did not connect", unit, {}};
}

}  // namespace keyturn
