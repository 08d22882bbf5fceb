#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// The candidate that `word` is most likely a slip of: few edits (a swap of neighbours is one) for
/// its length, without regard to case, - or _. Empty when none is near.
[[nodiscard]] std::string_view closest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

/// "; did you mean `soak`?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

/// What an operator wrote, fit for a message: short, without control characters, and starred out
/// where it looks like a secret.
[[nodiscard]] std::string quote_safe(std::string_view text);

/// `quote_safe` between backticks.
[[nodiscard]] std::string in_backticks(std::string_view text);

}  // namespace keyturn
