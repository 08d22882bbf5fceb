#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What a rotation does to a unit, in the words of systemd's question to polkit. ResetFailedUnit
/// comes before every restart and is not listed: the restart goes ahead even if polkit refuses it.
enum class UnitVerb { try_restart, restart, stop };

/// Whether keyturnd may do something to a unit.
enum class Permission {
    granted,
    refused,      ///< polkit refuses.
    not_by_hand,  ///< polkit allows it, but the unit has RefuseManualStart= or RefuseManualStop=.
};

/// A unit that keyturnd restarts, and with `stop` also stops (a surge unit).
struct UnitRights {
    std::string unit;
    bool stop = false;

    bool operator==(const UnitRights&) const = default;
};

/// The verbs that polkit has to allow. Pure.
[[nodiscard]] const std::vector<UnitVerb>& verbs_of(const UnitRights& rights);

/// A sentence that names the file to write and the line to put into it: a rule that allows this
/// user exactly these units and verbs. Pure.
[[nodiscard]] std::string polkit_remedy(std::string_view user,
                                        const std::vector<UnitRights>& units);

}  // namespace keyturn
