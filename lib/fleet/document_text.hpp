#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"
#include "fleet/keys.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn {

/// The text of the object: one line "keyturn-fleet 1 KEYID MAC", one line of JSON. The MAC is over
/// the exact bytes of the second line. A text is only written if `read_fleet_text` would read it:
/// an object that nobody can read would stop every host. Fails with `invalid`.
[[nodiscard]] Result<std::string> write_fleet_text(const FleetDocument& document,
                                                   const FleetKeys& keys);

/// What a host expects of the object.
struct ExpectedFleet {
    std::string_view tunnel;
    std::string_view fleet{};  ///< Empty if the host has not joined a fleet yet.
};

/// The reverse, and strict: every member must be there with its type, and no others. What it
/// checks first stops it: size, first line, key, MAC, format, JSON, tunnel, fleet. The MAC is one
/// of the expected tunnel. Fails with `denied` for a key that this host does not have or a MAC that
/// does not fit, with `missing` for a format that only a newer keyturn can read, and with `invalid`
/// for everything else. No text of an error quotes the input.
[[nodiscard]] Result<FleetDocument> read_fleet_text(std::string_view text, const FleetKeys& keys,
                                                    const ExpectedFleet& expected);

}  // namespace keyturn
