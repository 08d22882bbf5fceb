#include "rotation/batches.hpp"

#include "base/invariant.hpp"

#include <algorithm>

namespace keyturn {

std::vector<int> batch_sizes(int units, int batches, bool canary) {
    invariant(units >= 1 && batches >= 1, "a roll-out needs a unit and a batch");
    std::vector<int> sizes;
    if (canary && units > 1) {
        sizes.push_back(1);
        --units;
    }
    const int count = std::min(units, batches);
    const int larger = units % count;
    for (int i = 0; i < count; ++i) {
        sizes.push_back(units / count + (i >= count - larger ? 1 : 0));
    }
    return sizes;
}

}  // namespace keyturn
