#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// One line of JSON that begins with {"format":1. The members of the state, the record and the
/// history are those of the files on disk (state/record_members.hpp). Texts are made fit to be
/// shown (`FleetTexts`).
[[nodiscard]] std::string encode_fleet_document(const FleetDocument& document);

/// The reverse, and strict: every member must be there with its type, and no others; each name has
/// its form. Fails with `invalid` and names the member.
[[nodiscard]] Result<FleetDocument> decode_fleet_document(std::string_view json);

}  // namespace keyturn
