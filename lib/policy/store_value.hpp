#pragma once

#include "base/result.hpp"
#include "policy/value.hpp"

#include <string_view>

namespace keyturn {

/// These functions read the names that a store knows. Errors are `Fault::invalid`; their text
/// completes "`KEY` ...".
[[nodiscard]] Result<PolicyValue> read_bucket_name(std::string_view text);
[[nodiscard]] Result<PolicyValue> read_region(std::string_view text);

/// One or more segments with "/" between them.
[[nodiscard]] Result<PolicyValue> read_key_prefix(std::string_view text);
[[nodiscard]] Result<PolicyValue> read_user_name(std::string_view text);

}  // namespace keyturn
