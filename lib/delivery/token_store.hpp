#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// What has to survive until a rotation is done: with these two, either direction can be finished.
struct PendingTokens {
    std::string rotation_id;
    Secret new_token;  ///< Token text.
    Secret old_token;  ///< Token text.
};

/// The token files of `store: keyturn` and the pending secrets, under one state directory:
/// tokens/TUNNEL and pending/TUNNEL, both 0600. Every change is whole or not at all, over power
/// cuts too: a temporary file beside the target, owner and mode before data, fsync, rename, fsync
/// of the directory. A symbolic link, a second hard link, a wide mode or a foreign owner is
/// refused.
///
/// Faults: `storage` when the disk is full or broken, `denied` and `invalid` for what a person has
/// to mend; the text names the path.
class TokenStore {
  public:
    virtual ~TokenStore() = default;

    /// The file that the tunnel's units read: where to point LoadCredential=.
    [[nodiscard]] virtual std::string path(const std::string& tunnel_name) const = 0;

    /// The token in that file, if there is one.
    [[nodiscard]] virtual Result<std::optional<Secret>> current(const std::string& tunnel_name) = 0;

    /// Whether a rotation could write here now: directories, ownership, links, room. Changes
    /// nothing that outlives the call.
    [[nodiscard]] virtual Result<void> check(const std::string& tunnel_name) = 0;

    /// Keeps both tokens until `forget_pending`, durably.
    [[nodiscard]] virtual Result<void> keep_pending(const std::string& tunnel_name,
                                                    const PendingTokens& tokens) = 0;
    [[nodiscard]] virtual Result<std::optional<PendingTokens>> pending(
        const std::string& tunnel_name) = 0;
    [[nodiscard]] virtual Result<void> forget_pending(const std::string& tunnel_name) = 0;

    /// Writes `token` beside the destination as ".NAME.keyturn-ROTATIONID", fsynced. Idempotent.
    [[nodiscard]] virtual Result<void> stage(const std::string& tunnel_name,
                                             const std::string& rotation_id,
                                             const Secret& token) = 0;

    /// Renames the staged file over the destination and fsyncs the directory. Needs no room on the
    /// disk. `missing` when nothing is staged under that id.
    [[nodiscard]] virtual Result<void> swap_in(const std::string& tunnel_name,
                                               const std::string& rotation_id) = 0;

    /// Removes staged files of this tunnel except those of `open_rotation` (may be empty).
    virtual void sweep(const std::string& tunnel_name, const std::string& open_rotation) = 0;
};

/// `state_directory` exists and is ours, 0700 (systemd's StateDirectory=).
[[nodiscard]] std::unique_ptr<TokenStore> make_token_store(std::string state_directory);

}  // namespace keyturn
