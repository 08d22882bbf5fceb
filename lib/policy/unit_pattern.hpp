#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// True if the text has a character that makes it a glob: `*`, `?` or `[`.
[[nodiscard]] bool is_glob(std::string_view pattern);

/// True if `glob` matches `name`. The rules are those of systemd for unit patterns (fnmatch(3) with
/// FNM_NOESCAPE).
[[nodiscard]] bool glob_matches(const std::string& glob, const std::string& name);

/// Checks a unit name or a glob of the policy. A name is a whole service name, with its instance if
/// it has one. A glob must begin with a letter, because `*.service` would restart every service of
/// the host. Errors are `Fault::invalid`; their text completes "`units` ...".
[[nodiscard]] Result<void> check_unit_pattern(std::string_view pattern);

}  // namespace keyturn
