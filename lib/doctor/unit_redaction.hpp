#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// Unit files without the values that a person may have made secret: what follows --token and
/// --credentials-contents, environment variables, credentials, and anything that looks like a
/// token. A setting of several lines becomes one line. Pure.
[[nodiscard]] std::string without_secrets_of_units(std::string_view text);

}  // namespace keyturn
