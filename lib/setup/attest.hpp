#pragma once

#include "base/result.hpp"
#include "cloudflared/attestation.hpp"

#include <string>

namespace keyturn {

/// Checks as root that nothing overrides `token_file` for this unit, and notes what it looked at:
/// see `Attestation`. `denied` with the reason if something overrides it, or if systemd has not
/// read the unit's files. `date` is today's, for a
/// person.
[[nodiscard]] Result<Attestation> attest(const UnitSettings& settings,
                                         const std::string& token_file, const std::string& date);

/// What keyturnd accepts from now on, as sentences for the person who asked. Pure.
[[nodiscard]] std::string text_of(const Attestation& attestation);

/// True if the unit has an attestation, and it still holds. Needs root.
[[nodiscard]] bool is_attested(const UnitSettings& settings);

}  // namespace keyturn
