#pragma once

#include "base/result.hpp"
#include "waves/wave_gate.hpp"

#include <memory>
#include <string>

namespace keyturn {

/// waves/TUNNEL in the state directory, with a checksum, replaced as a whole. Faults: `storage` for
/// a full or broken disk, `invalid` if the file cannot be trusted; then a person has to remove it.
class WaveMemory {
  public:
    virtual ~WaveMemory() = default;

    /// Memories of no change if there is no file yet.
    [[nodiscard]] virtual Result<WaveMemories> load(const std::string& tunnel) = 0;
    [[nodiscard]] virtual Result<void> save(const std::string& tunnel,
                                            const WaveMemories& memories) = 0;
};

/// Only for the process that holds the lock of the state directory.
[[nodiscard]] std::unique_ptr<WaveMemory> make_wave_memory(std::string state_directory);

}  // namespace keyturn
