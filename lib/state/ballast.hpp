#pragma once

#include "files/directory.hpp"

namespace keyturn {

/// A file that only takes up room. When the disk is full in the middle of a rotation, dropping it
/// lets the next records be written.
inline constexpr off_t ballast_bytes = off_t{1024} * 1024;

/// Makes it where it is missing and there is clearly room for it. That it could not be made is not
/// worth stopping for: the answer says whether it is there.
bool make_ballast(const Directory& directory);

/// Gives its room back; false when there was none.
bool drop_ballast(const Directory& directory);

}  // namespace keyturn
