#pragma once

#include <vector>

namespace keyturn {

/// The sizes of the batches for `units` units: `batches` batches of nearly equal size, smaller ones
/// first (3 units in 2 batches: 1, 2), or one unit each if there are more batches than units. With
/// `canary`, a batch of one unit comes first. `units` and `batches` must be at least 1.
[[nodiscard]] std::vector<int> batch_sizes(int units, int batches, bool canary);

}  // namespace keyturn
