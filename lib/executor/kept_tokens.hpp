#pragma once

#include "base/result.hpp"
#include "policy/policy.hpp"
#include "token/token.hpp"

#include <optional>
#include <string>

namespace keyturn {

class TokenStore;

/// Both kept tokens in decoded form.
struct KeptTokens {
    std::string rotation_id;
    TunnelToken fresh;
    TunnelToken old;
};

/// The kept tokens; nothing if no rotation is open.
[[nodiscard]] Result<std::optional<KeptTokens>> kept_tokens(TokenStore& tokens,
                                                            const TunnelPolicy& policy);

/// The kept tokens of an open rotation. Fails with `missing`, and what to do, if they are gone.
[[nodiscard]] Result<KeptTokens> needed_tokens(TokenStore& tokens, const TunnelPolicy& policy);

}  // namespace keyturn
