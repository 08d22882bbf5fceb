#include "executor/kept_tokens.hpp"

#include "delivery/token_store.hpp"

#include <utility>

namespace keyturn {

Result<std::optional<KeptTokens>> kept_tokens(TokenStore& tokens, const TunnelPolicy& policy) {
    const Result<std::optional<PendingTokens>> pending = tokens.pending(policy.name);
    if (!pending) return pending.error();
    if (!*pending) return std::optional<KeptTokens>();
    Result<TunnelToken> fresh = decode_token((*pending)->new_token.reveal());
    if (!fresh) return with_context("the kept new token", fresh.error());
    Result<TunnelToken> old = decode_token((*pending)->old_token.reveal());
    if (!old) return with_context("the kept old token", old.error());
    if (fresh->tunnel != policy.tunnel) {
        return Error{Fault::invalid,
                     "an open rotation belongs to another tunnel id than the policy now names; "
                     "change `tunnel:` back until the rotation is done"};
    }
    return std::optional<KeptTokens>(
        KeptTokens{(*pending)->rotation_id, std::move(*fresh), std::move(*old)});
}

Result<KeptTokens> needed_tokens(TokenStore& tokens, const TunnelPolicy& policy) {
    Result<std::optional<KeptTokens>> kept = kept_tokens(tokens, policy);
    if (!kept) return kept.error();
    if (*kept) return std::move(**kept);
    return Error{
        Fault::missing,
        "the secrets of the open rotation are gone from the state directory; `keyturnctl "
        "rotate " +
            policy.name +
            " --compromised --evict-all` makes a new secret and restarts every unit at once"};
}

}  // namespace keyturn
