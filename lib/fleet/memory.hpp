#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// What a host must not forget about the fleet of one tunnel, on its own disk.
struct FleetMemories {
    std::string host;     ///< Its name in the fleet. A host that gets another name keeps this one.
    std::string install;  ///< 32 hex digits, made when it joined.
    std::string fleet;    ///< 32 hex digits of the fleet that it joined.
    std::uint64_t rev = 0;     ///< The highest that it has seen.
    std::string mark;          ///< Of the last report that surely is in the object.
    std::string mark_pending;  ///< Of a report that may be in the object; empty if there is none.

    bool operator==(const FleetMemories&) const = default;
};

/// fleet/TUNNEL in the state directory, with a checksum, replaced as a whole. Faults: `storage` for
/// a full or broken disk, `invalid` if the file cannot be trusted. Such a file is not replaced by a
/// fresh one on its own: `load` fails, and a person joins the fleet again.
class FleetMemory {
  public:
    virtual ~FleetMemory() = default;

    /// Nothing if this host has not joined a fleet of this tunnel.
    [[nodiscard]] virtual Result<std::optional<FleetMemories>> load(const std::string& tunnel) = 0;
    [[nodiscard]] virtual Result<void> save(const std::string& tunnel,
                                            const FleetMemories& memories) = 0;
};

/// Only for the process that holds the lock of the state directory. Makes fleet/ with the first
/// save.
[[nodiscard]] std::unique_ptr<FleetMemory> make_fleet_memory(std::string state_directory);

}  // namespace keyturn
