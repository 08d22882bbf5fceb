#pragma once

#include "keyturnd/fleets.hpp"

#include <optional>

namespace keyturn {

/// What `main` of keyturnd and of keyturnd-fleet does. Returns the exit code; nothing if the policy
/// needs fleets, now or after a reload, and `make_fleets` is empty: keyturnd-fleet has to continue.
[[nodiscard]] std::optional<int> run_keyturnd(int argc, char** argv, const MakeFleets& make_fleets);

}  // namespace keyturn
