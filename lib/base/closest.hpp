#pragma once

#include <string_view>
#include <vector>

namespace keyturn {

/// The candidate that `word` is most likely a typo of: few edits for its length (a swap of
/// neighbours is one), ignoring case and the difference between - and _. Empty if none is close.
[[nodiscard]] std::string_view closest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

}  // namespace keyturn
