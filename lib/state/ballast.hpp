#pragma once

#include "files/directory.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// The size of a file that only takes up space, in bytes. When the disk is full in the middle of a
/// rotation, dropping it makes room for the next records.
inline constexpr off_t ballast_bytes = off_t{1024} * 1024;

/// Makes the ballast if it is missing and there is clearly room for it; true if it is there then. A
/// missing ballast is no reason to stop.
bool make_ballast(const Directory& directory);

/// Frees the ballast's space; false if there was no ballast.
bool drop_ballast(const Directory& directory);

/// Replaces a file in the directory `directory_name` of the state directory. If the disk is full,
/// drops the ballast and tries a second time. The old content stays under a `previous_name`.
[[nodiscard]] Result<void> replace_with_ballast(const std::string& state_directory,
                                                const char* directory_name,
                                                const std::string& file_name,
                                                std::string_view bytes,
                                                const std::string& previous_name = std::string());

}  // namespace keyturn
