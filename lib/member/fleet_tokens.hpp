#pragma once

#include "delivery/token_store.hpp"
#include "fleet/document.hpp"
#include "fleet/keys.hpp"
#include "token/token.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// The tokens of a rotation that a fleet shares, as a `TokenStore` in memory. What
/// `RotationExecutor` does to it becomes a change of the shared object: `LeadExecutor` looks
/// afterwards what is different.
class FleetTokens final : public TokenStore {
  public:
    /// `local` are the files of this host; `keys` outlive this.
    FleetTokens(TokenStore& local, const FleetKeys& keys) : local_(local), keys_(keys) {}

    /// Takes what the object has now. Fails as `FleetKeys::unseal`.
    [[nodiscard]] Result<void> take(const FleetDocument& document);

    /// What is different since `take`; nothing if it is the same.
    struct Change {
        bool kept = false;       ///< `pending` was kept anew or forgotten.
        bool delivered = false;  ///< `delivered_token` was swapped in.
    };
    [[nodiscard]] const Change& change() const { return change_; }
    [[nodiscard]] const std::optional<PendingTokens>& kept() const { return kept_; }
    [[nodiscard]] const Fingerprint& delivered() const { return delivered_; }

    // TokenStore
    [[nodiscard]] std::string path(const std::string& tunnel_name) const override;
    [[nodiscard]] Result<std::optional<Secret>> current(const std::string& tunnel_name) override;
    [[nodiscard]] Result<void> check(const std::string& tunnel_name) override;
    [[nodiscard]] Result<void> keep_pending(const std::string& tunnel_name,
                                            const PendingTokens& tokens) override;
    [[nodiscard]] Result<std::optional<PendingTokens>> pending(
        const std::string& tunnel_name) override;
    [[nodiscard]] Result<void> forget_pending(const std::string& tunnel_name) override;
    [[nodiscard]] Result<void> stage(const std::string& tunnel_name, const std::string& rotation_id,
                                     const Secret& token) override;
    [[nodiscard]] Result<void> swap_in(const std::string& tunnel_name,
                                       const std::string& rotation_id) override;
    void sweep(const std::vector<std::string>& tunnel_names) override;

  private:
    struct Staged {
        std::string rotation_id;
        Secret token;
    };

    TokenStore& local_;
    const FleetKeys& keys_;
    std::optional<SealedTokens> sealed_;  ///< What `kept_` was unsealed from.
    std::optional<PendingTokens> kept_;
    std::optional<Staged> staged_;
    Fingerprint delivered_;
    std::string problem_;  ///< Of the members whose token file cannot be replaced.
    Change change_;
};

}  // namespace keyturn
