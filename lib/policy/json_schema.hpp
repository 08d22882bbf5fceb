#pragma once

#include <string>

namespace keyturn {

/// The policy's language as a JSON Schema (draft 2020-12), for editors: the key table in another
/// form. What the parts have to do with each other only `parse_policy` knows.
[[nodiscard]] std::string json_schema();

}  // namespace keyturn
