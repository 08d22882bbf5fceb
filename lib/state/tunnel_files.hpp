#pragma once

#include "base/result.hpp"
#include "files/directory.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace keyturn {

/// A folder of the state directory with a file for each tunnel that needs one, replaced as a whole,
/// without secrets. Only for the process that holds the lock of the state directory. Makes the
/// folder with the first save. Faults: those of the files.
class TunnelFiles {
  public:
    TunnelFiles(std::string state_directory, std::string folder, std::size_t size_max);

    /// Nothing if there is no file of this tunnel.
    [[nodiscard]] Result<std::optional<std::string>> load(const std::string& tunnel) const;
    [[nodiscard]] Result<void> save(const std::string& tunnel, const std::string& text) const;
    [[nodiscard]] std::string path_of(const std::string& tunnel) const;

  private:
    [[nodiscard]] Result<std::optional<Directory>> open() const;

    std::string root_;
    std::string folder_;
    std::size_t size_max_;
};

}  // namespace keyturn
