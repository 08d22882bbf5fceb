#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"
#include "fleet/keys.hpp"

#include <string>

namespace keyturn::fleet_simulation {

/// Forgets the texts of the run before. If `quick`, the object's texts are short names of documents
/// in memory from now on: JSON and MAC would take nine tenths of the time. Other runs use what
/// ships.
void begin_texts(bool quick);

/// The text that ships, also in a quick run: as a thief with a key of his own writes it.
[[nodiscard]] Result<std::string> full_text(const FleetDocument& document, const FleetKeys& keys);

}  // namespace keyturn::fleet_simulation
