#pragma once

#include "base/result.hpp"

#include <string>
#include <sys/stat.h>

namespace keyturn {

// Files whose content keyturnd relies on: the policy, the API token, a CA file. Whoever can change
// one of them, or a directory on the way to it, decides what keyturnd does.

/// Empty when nobody but root and ourselves can change what has this status; otherwise how others
/// can, and what to do: "writable by its group ...; run `chmod go-w` on it".
[[nodiscard]] std::string distrust_owner(const struct stat& status);

/// Whether nobody but root and ourselves can put something else in the place of `path`: asks every
/// directory above it, and above what symbolic links make of it. A directory where all may write,
/// but nobody may remove what is another's (/tmp), is trusted. The error names the directory.
[[nodiscard]] Result<void> check_way_to(const std::string& path);

/// `check_way_to`, and the same of the file itself, which is a regular one.
[[nodiscard]] Result<void> check_trusted_file(const std::string& path);

}  // namespace keyturn
