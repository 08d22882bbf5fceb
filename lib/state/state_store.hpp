#pragma once

#include "base/result.hpp"
#include "rotation/record.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// The durable state of every tunnel: state/TUNNEL.json, its predecessor TUNNEL.json.1 (both with
/// schema and checksum), and history/TUNNEL.jsonl.
///
/// Faults: `storage` for a full or broken disk, `invalid` if neither file can be trusted or the
/// schema is newer than ours. A state that cannot be read is never replaced by a fresh one, because
/// that would send a second secret. So `save` reads the old state first and fails like `load`.
class StateStore {
  public:
    virtual ~StateStore() = default;

    /// Returns nothing if this tunnel has never been seen.
    [[nodiscard]] virtual Result<std::optional<TunnelState>> load(
        const std::string& tunnel_name) = 0;

    /// The names of all tunnels that have a state, in the policy or not, sorted.
    [[nodiscard]] virtual Result<std::vector<std::string>> tunnels() = 0;

    /// The state is durable once this returns success.
    [[nodiscard]] virtual Result<void> save(const std::string& tunnel_name,
                                            const TunnelState& state) = 0;

    /// Appends an entry and drops the oldest ones if there are too many. Does not repeat an entry
    /// with the rotation and outcome of the last one, because the end of a rotation may be recorded
    /// twice with a crash in between.
    [[nodiscard]] virtual Result<void> append_history(const std::string& tunnel_name,
                                                      const HistoryEntry& entry) = 0;

    /// The newest `count` entries, oldest first. Skips a torn last line.
    [[nodiscard]] virtual Result<std::vector<HistoryEntry>> history(const std::string& tunnel_name,
                                                                    std::size_t count) = 0;
};

/// Receives a sentence for the journal when `load` works around a damaged or missing TUNNEL.json by
/// using the one before it. The caller continues with the result of `load`.
using StateWarning =
    std::function<void(const std::string& tunnel_name, const std::string& sentence)>;

/// Takes the lock file of `state_directory` for the life of the store and makes the ballast, a file
/// that `save` deletes when the disk is full so that the record of a rotation under way can still
/// be written. The ballast is made again when there is room. Fails with `conflict` if another
/// keyturnd holds the lock.
[[nodiscard]] Result<std::unique_ptr<StateStore>> make_state_store(std::string state_directory,
                                                                   StateWarning warn = {});

inline constexpr int state_schema = 1;

}  // namespace keyturn
