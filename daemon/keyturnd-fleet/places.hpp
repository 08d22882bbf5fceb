#pragma once

#include "keyturnd/fleets.hpp"

namespace keyturn {

/// Makes the places of this host in fleets: the object that the policy names, keys, and what the
/// host remembers. Everything that needs a store or a fleet key is made here, and only for a tunnel
/// that has a `coordinator:`.
[[nodiscard]] std::unique_ptr<Fleets> make_fleets(const FleetsWorld& world);

}  // namespace keyturn
