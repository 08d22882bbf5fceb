#pragma once

#include "keyturnd/fleets.hpp"

#include <optional>

namespace keyturn {

/// What `main` of keyturnd and of keyturnd-fleet does. Returns as `run_application`.
[[nodiscard]] std::optional<int> run_keyturnd(int argc, char** argv, const MakeFleets& make_fleets);

}  // namespace keyturn
