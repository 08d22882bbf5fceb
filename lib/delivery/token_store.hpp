#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// The tokens that must survive until a rotation is done. With both, it can go forward or back.
struct PendingTokens {
    std::string rotation_id;
    Secret new_token;  ///< Token text.
    Secret old_token;  ///< Token text.
};

/// The token files of `store: keyturn` and the pending secrets, in one state directory:
/// tokens/TUNNEL and pending/TUNNEL, both with mode 0600. Every change happens completely or not at
/// all, even across a power cut: a temporary file beside the target, owner and mode before the
/// data, fsync, rename, fsync of the directory. Refuses symbolic links, second hard links, modes
/// that are too open and other owners.
///
/// Faults: `storage` if the disk is full or broken, `denied` and `invalid` for what a person has to
/// fix. The text names the path.
class TokenStore {
  public:
    virtual ~TokenStore() = default;

    /// The file that the tunnel's units read with LoadCredential=.
    [[nodiscard]] virtual std::string path(const std::string& tunnel_name) const = 0;

    /// The token in that file; nothing if there is no file.
    [[nodiscard]] virtual Result<std::optional<Secret>> current(const std::string& tunnel_name) = 0;

    /// Checks whether a rotation could write here now: directories, ownership, links, free space.
    /// Changes nothing that outlives the call.
    [[nodiscard]] virtual Result<void> check(const std::string& tunnel_name) = 0;

    /// Durably keeps both tokens until `forget_pending`.
    [[nodiscard]] virtual Result<void> keep_pending(const std::string& tunnel_name,
                                                    const PendingTokens& tokens) = 0;
    [[nodiscard]] virtual Result<std::optional<PendingTokens>> pending(
        const std::string& tunnel_name) = 0;
    [[nodiscard]] virtual Result<void> forget_pending(const std::string& tunnel_name) = 0;

    /// Writes `token` beside the token file as ".NAME.keyturn-ROTATIONID" and syncs it. Idempotent.
    [[nodiscard]] virtual Result<void> stage(const std::string& tunnel_name,
                                             const std::string& rotation_id,
                                             const Secret& token) = 0;

    /// Renames the staged file over the token file and syncs the directory. Needs no free space.
    /// Fails with `missing` if nothing is staged under that id.
    [[nodiscard]] virtual Result<void> swap_in(const std::string& tunnel_name,
                                               const std::string& rotation_id) = 0;

    /// Removes what a crash has left of these tunnels, none of which has an open rotation: staged
    /// and temporary files.
    virtual void sweep(const std::vector<std::string>& tunnel_names) = 0;
};

/// `state_directory` must exist, belong to this user and have mode 0700 (systemd's StateDirectory=
/// and StateDirectoryMode=).
[[nodiscard]] std::unique_ptr<TokenStore> make_token_store(std::string state_directory);

}  // namespace keyturn
