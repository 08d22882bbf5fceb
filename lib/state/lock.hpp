#pragma once

#include "base/unique_fd.hpp"
#include "files/directory.hpp"

namespace keyturn {

/// Takes the lock of the state directory until the descriptor is closed, so at the latest when the
/// process ends in whatever way. `conflict`, with the other's process id, when it is taken.
[[nodiscard]] Result<UniqueFd> take_lock(const Directory& directory);

}  // namespace keyturn
