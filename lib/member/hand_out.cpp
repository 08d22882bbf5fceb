// The part of a host that may lead, while no rotation is open: the token for hosts that cannot ask
// Cloudflare.

#include "clock/clock.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "member/fleet_tunnel.hpp"

#include <algorithm>
#include <utility>

namespace keyturn {

/// Seals the token for a member that needs it, and removes it once everybody has it. A host that
/// was away, or got an old disk back, would otherwise stay on its old token for ever.
Task<> FleetTunnel::hand_out_token() {
    const FleetDocument& seen = *fleet_.seen();
    if (seen.state.rotation) co_return;
    const bool wanted = someone_lacks_the_token(seen);
    if (wanted == seen.sealed.has_value()) co_return;
    std::optional<SealedTokens> sealed;
    if (wanted) sealed = co_await seal_present_token();
    if (wanted && !sealed) co_return;
    FleetTransition handing = [sealed](FleetDocument& document) {
        return hand_out(document, sealed);
    };
    static_cast<void>(co_await fleet_.change(std::move(handing), false));
}

/// Nothing: Cloudflare cannot be asked, or shows another one.
Task<std::optional<SealedTokens>> FleetTunnel::seal_present_token() {
    std::optional<SealedTokens> sealed;
    const TunnelRef tunnel{policy_.account, policy_.tunnel};
    const auto answer = co_await world_.api.get_token(tunnel);
    if (!answer) co_return sealed;
    const FleetDocument& seen = *fleet_.seen();
    const auto token = decode_token(answer->token.reveal());
    if (!token || fingerprint_of(*token) != seen.deliver) co_return sealed;
    const PendingTokens tokens{rotation_id_of(*token), answer->token.clone(),
                               answer->token.clone()};
    auto text = fleet_.keys().seal(seen, world_.random, tokens);
    if (text) sealed = std::move(*text);
    co_return sealed;
}

bool someone_lacks_the_token(const FleetDocument& document) {
    return std::ranges::any_of(document.members, [&](const auto& member) {
        return !member.second.eligible && member.second.file != document.deliver;
    });
}

}  // namespace keyturn
