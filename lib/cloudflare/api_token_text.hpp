#pragma once

#include "base/result.hpp"

#include <string_view>

namespace keyturn {

/// Finds the API token in the text of a credential file. Ignores blanks, line ends, a byte order
/// mark and one pair of quotes around it. Anything else is `Fault::invalid` with a clause that says
/// what the text is and never quotes it: `NAME=value`, a tunnel token, several lines, no text at
/// all.
[[nodiscard]] Result<std::string_view> find_api_token(std::string_view text);

}  // namespace keyturn
