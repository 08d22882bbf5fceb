#pragma once

#include <string_view>

namespace keyturn {

/// Orders names as people number things: web@2.service before web@10.service. A strict total order:
/// names that differ only in leading zeros are ordered by their bytes.
[[nodiscard]] bool naturally_before(std::string_view left, std::string_view right);

}  // namespace keyturn
