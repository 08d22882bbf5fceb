#pragma once

#include "shared_object/shared_object.hpp"

#include <memory>
#include <string>

namespace keyturn {

class Clock;

/// A shared object in a file, for hosts that share a directory: network namespaces of one machine.
/// Writers take turns with a lock beside it, PATH.lock, and replace the file as a whole. The
/// version is a digest of the text. The directory must belong to the user of this process.
///
/// Not for a network file system: its locks end with a connection.
[[nodiscard]] std::unique_ptr<SharedObject> make_shared_file(Clock& clock, std::string path);

}  // namespace keyturn
