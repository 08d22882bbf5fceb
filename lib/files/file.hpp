#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "files/directory.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

namespace keyturn {

/// Whether the file is there. It is refused (`Fault::invalid`, the text says what to mend) when it
/// is a symbolic link or no regular file, has a second hard link, belongs to another user than its
/// directory, can be read or written by others, or is a mount point of its own: replacing it would
/// not do what it seems to do, or its content may be known to others.
[[nodiscard]] Result<bool> examine_file(const Directory& directory, const std::string& name);

/// The bytes of the file, if there is one; refused as by `examine_file`, and when it is longer than
/// `size_max`. In wiped memory, because every reader's file may hold a secret.
[[nodiscard]] Result<std::optional<Secret>> read_file(const Directory& directory,
                                                      const std::string& name,
                                                      std::size_t size_max);

/// Renames within the directory, durably. `missing` when there is no `from`. Needs no room.
[[nodiscard]] Result<void> rename_file(const Directory& directory, const std::string& from,
                                       const std::string& to);

/// Removes the file, durably; that there is none is a success.
[[nodiscard]] Result<void> remove_file(const Directory& directory, const std::string& name);

/// The same for a file that held a secret: overwritten with zeros first. A file system that writes
/// to new places keeps the old bytes all the same; it is an attempt, and its failure is no failure.
[[nodiscard]] Result<void> erase_file(const Directory& directory, const std::string& name);

/// Writes all of it, over interruptions and short writes.
[[nodiscard]] Result<void> write_all(int fd, std::string_view bytes, const std::string& path);

inline constexpr mode_t file_mode = 0600;

}  // namespace keyturn
