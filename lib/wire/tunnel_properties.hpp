#pragma once

#include "wire/bus_type.hpp"
#include "wire/tunnel_status.hpp"

#include <tuple>

namespace keyturn {

/// A property of the Tunnel interface. The type of the member determines its type on the bus.
template <class Value>
struct TunnelProperty {
    using Type = BusType<Value>;

    const char* name;
    Value TunnelStatus::*member;
    bool fixed = false;  ///< Never changes, so PropertiesChanged leaves it out.
};

template <class Value>
TunnelProperty(const char*, Value TunnelStatus::*) -> TunnelProperty<Value>;
template <class Value>
TunnelProperty(const char*, Value TunnelStatus::*, bool) -> TunnelProperty<Value>;

template <>
inline constexpr std::tuple bus_members<UnitStatus>{&UnitStatus::name, &UnitStatus::step,
                                                    &UnitStatus::batch, &UnitStatus::connections,
                                                    &UnitStatus::verified_by};

template <>
inline constexpr std::tuple bus_members<UnitHealth>{
    &UnitHealth::name, &UnitHealth::health, &UnitHealth::token_age, &UnitHealth::fingerprint,
    &UnitHealth::baseline};

/// All properties. keyturnd writes them and keyturnctl reads them by this table. Other programs
/// read them too, so a name or a type never changes.
inline constexpr std::tuple tunnel_properties{
    TunnelProperty{"Name", &TunnelStatus::name, true},
    TunnelProperty{"TunnelId", &TunnelStatus::tunnel},
    TunnelProperty{"State", &TunnelStatus::state},
    TunnelProperty{"Kind", &TunnelStatus::kind},
    TunnelProperty{"Phase", &TunnelStatus::phase},
    TunnelProperty{"Reason", &TunnelStatus::reason},
    TunnelProperty{"HoldReason", &TunnelStatus::hold_reason},
    TunnelProperty{"RotationId", &TunnelStatus::rotation_id},
    TunnelProperty{"LastOutcome", &TunnelStatus::last_outcome},
    TunnelProperty{"Trigger", &TunnelStatus::trigger},
    TunnelProperty{"Fingerprint", &TunnelStatus::fingerprint},
    TunnelProperty{"DueCause", &TunnelStatus::due_cause},
    TunnelProperty{"Batch", &TunnelStatus::batch},
    TunnelProperty{"BatchCount", &TunnelStatus::batch_count},
    TunnelProperty{"Units", &TunnelStatus::units},
    TunnelProperty{"Findings", &TunnelStatus::findings},
    TunnelProperty{"Notes", &TunnelStatus::notes},
    TunnelProperty{"HeldUnit", &TunnelStatus::held_unit},
    TunnelProperty{"CanRevert", &TunnelStatus::can_revert},
    TunnelProperty{"Evicted", &TunnelStatus::evicted},
    TunnelProperty{"Lockout", &TunnelStatus::lockout},
    TunnelProperty{"Outage", &TunnelStatus::outage},
    TunnelProperty{"Started", &TunnelStatus::started},
    TunnelProperty{"StepStarted", &TunnelStatus::step_started},
    TunnelProperty{"StepEnds", &TunnelStatus::step_ends},
    TunnelProperty{"LastDone", &TunnelStatus::last_done},
    TunnelProperty{"Due", &TunnelStatus::due},
    TunnelProperty{"Health", &TunnelStatus::health},
    TunnelProperty{"ExpectedEnd", &TunnelStatus::expected_end},
    TunnelProperty{"LastEnded", &TunnelStatus::last_ended},
    TunnelProperty{"LastCheck", &TunnelStatus::last_check},
    TunnelProperty{"CheckFailsSince", &TunnelStatus::check_fails_since},
};

}  // namespace keyturn
