#pragma once

#include <vector>

namespace keyturn {

/// The sizes of the batches for `units` units: `batches` of them, as equal as possible, smaller
/// ones first (3 units in 2 batches: 1, 2), one unit each when there are more batches than units.
/// With `canary`, a batch of one unit comes before them. `units` and `batches` are 1 or more.
[[nodiscard]] std::vector<int> batch_sizes(int units, int batches, bool canary);

}  // namespace keyturn
