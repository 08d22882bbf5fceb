#pragma once

#include "base/unique_fd.hpp"
#include "files/directory.hpp"

namespace keyturn {

/// Takes the lock of the state directory until the descriptor is closed, at the latest when the
/// process ends in any way. Fails with `conflict` and the other process's id if it is taken.
[[nodiscard]] Result<UniqueFd> take_lock(const Directory& directory);

}  // namespace keyturn
