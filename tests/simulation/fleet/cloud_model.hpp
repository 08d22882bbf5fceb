#pragma once

#include "cloudflare/tunnel_api.hpp"
#include "simulation/fleet/world.hpp"
#include "token/token.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace keyturn::fleet_simulation {

class Host;

/// The tunnel at Cloudflare: what is really there.
class CloudModel {
  public:
    explicit CloudModel(World& world);

    /// The fingerprint of the secret that the tunnel has.
    [[nodiscard]] const Fingerprint& held() const { return held_; }
    [[nodiscard]] const std::string& text_of(const Fingerprint& token) const {
        return texts_.at(token);
    }
    /// Whether the tunnel has, or had within this time, this secret.
    [[nodiscard]] bool has_or_had(const Fingerprint& token, Milliseconds within) const;
    [[nodiscard]] BootTime changed() const { return changed_; }

    /// The fingerprint of the token that has this secret (base64).
    Fingerprint token_with(std::string_view secret);
    /// A PATCH lands.
    Result<std::optional<Secret>> take(const Fingerprint& token);
    void rotate_by_somebody_else();

    Result<TokenAnswer> token();
    Result<std::vector<Connector>> list();
    void evict(const std::string& connector);

    std::vector<Host*> hosts;  ///< All that have connectors.
    BootTime down_until{};

  private:
    World& world_;
    Fingerprint held_;
    Fingerprint before_;
    std::map<Fingerprint, BootTime> left_;  ///< When it was replaced.
    BootTime changed_{};
    std::map<Fingerprint, std::string> texts_;
    std::vector<Connector> listed_;
    BootTime listed_at_{};
};

/// Cloudflare as one host reaches it, or does not.
class CloudHandle final : public TunnelApi {
  public:
    explicit CloudHandle(Host& host) : host_(host) {}

    Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) override;
    Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) override;
    Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                     const Secret& secret) override;
    Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) override;
    Task<Result<void>> evict(TunnelRef tunnel, std::string connector) override;
    void close_idle() override {}

  private:
    Host& host_;
};

}  // namespace keyturn::fleet_simulation
