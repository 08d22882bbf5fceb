#pragma once

#include "base/result.hpp"
#include "doctor/dump.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// Writes the files into a new archive (tar, gzip) of mode 0600, in a folder named `top`. Never
/// replaces a file, and leaves none that is not complete.
[[nodiscard]] Result<void> write_archive(const std::string& path, const std::string& top,
                                         const std::vector<DumpFile>& files);

}  // namespace keyturn
