#pragma once

#include "base/result.hpp"
#include "rotation/record.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// The durable state of every tunnel: state/TUNNEL.json (the one before it as TUNNEL.json.1, both
/// with schema and checksum) and history/TUNNEL.jsonl.
///
/// Faults: `storage` for a full or broken disk, `invalid` when neither file can be trusted or the
/// schema is newer than ours. A state that cannot be read is never replaced by a fresh one: that
/// would send a second secret; so `save` looks first, and fails like `load`.
class StateStore {
  public:
    virtual ~StateStore() = default;

    /// Nothing when this tunnel has never been seen.
    [[nodiscard]] virtual Result<std::optional<TunnelState>> load(
        const std::string& tunnel_name) = 0;

    /// The tunnels that have a state, in the policy or not, by name.
    [[nodiscard]] virtual Result<std::vector<std::string>> tunnels() = 0;

    /// Durable when it returns success.
    [[nodiscard]] virtual Result<void> save(const std::string& tunnel_name,
                                            const TunnelState& state) = 0;

    /// An entry with the rotation and the outcome of the last one is not added again: the end of a
    /// rotation may be recorded twice, with a crash between. The oldest entries go when there are
    /// too many.
    [[nodiscard]] virtual Result<void> append_history(const std::string& tunnel_name,
                                                      const HistoryEntry& entry) = 0;

    /// The newest `count` entries, oldest first. A torn last line is left out.
    [[nodiscard]] virtual Result<std::vector<HistoryEntry>> history(const std::string& tunnel_name,
                                                                    std::size_t count) = 0;
};

/// Told of what `load` has mended for itself: a damaged or missing TUNNEL.json, for which the one
/// before it was used. A sentence for the journal; the caller goes on with what `load` returns.
using StateWarning =
    std::function<void(const std::string& tunnel_name, const std::string& sentence)>;

/// Takes the lock file of `state_directory` for the life of the store and makes the ballast, a
/// file that `save` deletes when the disk is full, so that the record of a rotation under way can
/// still be written; it is made again when there is room. `conflict` when another keyturnd holds
/// the lock.
[[nodiscard]] Result<std::unique_ptr<StateStore>> make_state_store(std::string state_directory,
                                                                   StateWarning warn = {});

inline constexpr int state_schema = 1;

}  // namespace keyturn
