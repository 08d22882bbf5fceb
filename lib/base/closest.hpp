#pragma once

#include <string_view>
#include <vector>

namespace keyturn {

/// The candidate that `word` is most likely a slip of: few edits (a swap of neighbours is one) for
/// its length, without regard to case, - or _. Empty when none is near.
[[nodiscard]] std::string_view closest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

}  // namespace keyturn
