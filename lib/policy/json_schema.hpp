#pragma once

#include <string>

namespace keyturn {

/// The policy language as a JSON Schema (draft 2020-12) for editors, made from the key table. The
/// rules that connect several keys are not in it; only `parse_policy` checks those.
[[nodiscard]] std::string json_schema();

}  // namespace keyturn
