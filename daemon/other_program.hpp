#pragma once

#include <string>
#include <vector>

namespace keyturn {

/// Replaces this program with another one of keyturn. It is in the first of `places` that has it;
/// these are relative to the folder of this program. Returns errno if there is none, or if it
/// cannot be executed.
[[nodiscard]] int become(const std::vector<std::string>& places, const std::string& name,
                         char* const* arguments);

}  // namespace keyturn
