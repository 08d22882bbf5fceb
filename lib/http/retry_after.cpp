#include "http/retry_after.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace keyturn {

std::chrono::seconds parse_retry_after(std::string_view value) {
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    if (value.empty() || !std::ranges::all_of(value, is_digit)) return std::chrono::seconds{0};
    // A number too large for an int is a long time, not a malformed one.
    const int seconds = to_number<int>(value).value_or(static_cast<int>(retry_after_max.count()));
    return std::min(std::chrono::seconds{seconds}, retry_after_max);
}

}  // namespace keyturn
