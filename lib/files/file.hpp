#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "files/directory.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

namespace keyturn {

/// True if the file exists. Refuses it (`Fault::invalid`, with what to fix) if it is a symbolic
/// link or not a regular file, has a second hard link, belongs to another user than its directory,
/// is readable or writable by others, or is itself a mount point: replacing such a file would not
/// have the expected effect, or others may know its content.
[[nodiscard]] Result<bool> examine_file(const Directory& directory, const std::string& name);

/// The bytes of the file, if it exists. Refuses it like `examine_file`, and if it is longer than
/// `size_max` bytes. The memory is wiped, because any file may contain a secret.
[[nodiscard]] Result<std::optional<Secret>> read_file(const Directory& directory,
                                                      const std::string& name,
                                                      std::size_t size_max);

/// Durably renames within the directory. Fails with `missing` if there is no `from`. Needs no
/// space.
[[nodiscard]] Result<void> rename_file(const Directory& directory, const std::string& from,
                                       const std::string& to);

/// Durably removes the file. Succeeds if there is none.
[[nodiscard]] Result<void> remove_file(const Directory& directory, const std::string& name);

/// Removes a file that contained a secret, after overwriting it with zeros. A file system that
/// writes to new places keeps the old bytes anyway, so this is only an attempt and its failure is
/// ignored.
[[nodiscard]] Result<void> erase_file(const Directory& directory, const std::string& name);

/// Writes all bytes, in spite of interruptions and short writes.
[[nodiscard]] Result<void> write_all(int fd, std::string_view bytes, const std::string& path);

inline constexpr mode_t file_mode = 0600;

}  // namespace keyturn
