#pragma once

#include "setup/attest.hpp"
#include "setup/foreground.hpp"

#include <string>

namespace keyturn {

/// Looks at a unit as root and writes down for keyturnd what it saw, which is the result. `denied`
/// with the reason if something overrides the token file of this tunnel.
[[nodiscard]] Result<Attestation> attest_unit(Foreground& host, const std::string& unit,
                                              const std::string& tunnel);

}  // namespace keyturn
