#pragma once

#include "base/result.hpp"

#include <string>
#include <sys/stat.h>

namespace keyturn {

// Files whose content keyturnd relies on: the policy, the API token, a CA file. Anyone who can
// change one of them, or a directory on its path, decides what keyturnd does.

/// Empty if only root and the user of this process can change the file with this status. Otherwise
/// it says how others can, and what to do: "writable by its group ...; run `chmod go-w` on it".
[[nodiscard]] std::string distrust_owner(const struct stat& status);

/// Checks that only root and the user of this process can replace `path`: looks at every directory
/// above it, and above the targets of symbolic links. Trusts a directory in which everybody may
/// write but nobody may remove what belongs to others (/tmp). The error is `denied`, or from the
/// file system, and names the directory.
[[nodiscard]] Result<void> check_way_to(const std::string& path);

/// Does `check_way_to` and checks the file itself in the same way. It must be a regular file.
[[nodiscard]] Result<void> check_trusted_file(const std::string& path);

}  // namespace keyturn
