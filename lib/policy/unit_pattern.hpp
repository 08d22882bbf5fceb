#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// True when the text has a character that makes it a glob: `*`, `?` or `[`.
[[nodiscard]] bool is_glob(std::string_view pattern);

/// True when `name` is one that `glob` stands for. The rules are systemd's for unit patterns
/// (fnmatch(3) with FNM_NOESCAPE).
[[nodiscard]] bool glob_matches(const std::string& glob, const std::string& name);

/// Checks a unit name or a glob of the policy. A name is a whole service name, with its instance
/// where it has one; a glob begins with a letter, because `*.service` would restart the host's
/// everything. The text of an error completes "`units` ...".
[[nodiscard]] Result<void> check_unit_pattern(std::string_view pattern);

}  // namespace keyturn
