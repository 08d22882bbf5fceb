#pragma once

#include <string>
#include <vector>

namespace keyturn {

/// The path of another program of keyturn, in the first of `places` that has it; these are relative
/// to the folder of this program. Empty if it cannot be executed in any of them.
[[nodiscard]] std::string find_program(const std::vector<std::string>& places,
                                       const std::string& name);

}  // namespace keyturn
