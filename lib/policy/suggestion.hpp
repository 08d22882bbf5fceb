#pragma once

#include "base/closest.hpp"
#include "base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// "; did you mean `soak`?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

/// Makes what an operator wrote fit for a message: short, without control characters, and starred
/// out where it looks like a secret.
[[nodiscard]] std::string quote_safe(std::string_view text);

/// `quote_safe` between backticks.
[[nodiscard]] std::string in_backticks(std::string_view text);

/// The error for a value that does not fit. The text completes "`KEY` ...".
[[nodiscard]] Error invalid(std::string text);

}  // namespace keyturn
