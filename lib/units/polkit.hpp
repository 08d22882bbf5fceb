#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What a rotation does to a unit, in the words of systemd's question to polkit. ResetFailedUnit
/// comes before every restart; its own answer is not waited for.
enum class UnitVerb { try_restart, restart, stop };

/// Whether we may do something to a unit.
enum class Permission {
    granted,
    refused,      ///< polkit says no.
    not_by_hand,  ///< polkit says yes, and the unit no: RefuseManualStart= or RefuseManualStop=.
};

/// A unit that is restarted, and with `stop` also stopped (a surge).
struct UnitRights {
    std::string unit;
    bool stop = false;

    bool operator==(const UnitRights&) const = default;
};

/// Which verbs have to be allowed. Pure.
[[nodiscard]] const std::vector<UnitVerb>& verbs_of(const UnitRights& rights);

/// The sentence that names the file to write and the line to put into it: a rule that allows this
/// user exactly these units and verbs. Pure.
[[nodiscard]] std::string polkit_remedy(std::string_view user,
                                        const std::vector<UnitRights>& units);

}  // namespace keyturn
