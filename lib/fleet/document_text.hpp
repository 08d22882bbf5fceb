#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"
#include "fleet/keys.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// The text of the object: one line "keyturn-fleet 1 KEYID MAC", one line of JSON. The MAC is over
/// the exact bytes of the second line.
[[nodiscard]] Result<std::string> write_fleet_text(const FleetDocument& document,
                                                   const FleetKeys& keys);

/// The reverse, and strict: every member must be there with its type, and no others. What it
/// checks first stops it: size, MAC, format, JSON. Fails with `denied` for a key that this host
/// does not have or a MAC that does not fit, with `invalid` for everything else. No text of an
/// error quotes the input.
[[nodiscard]] Result<FleetDocument> read_fleet_text(std::string_view text, std::string_view tunnel,
                                                    const FleetKeys& keys);

}  // namespace keyturn
