#pragma once

#include "base/result.hpp"
#include "policy/policy.hpp"
#include "token/token.hpp"

#include <optional>
#include <string>

namespace keyturn {

class TokenStore;

/// Both kept tokens, decoded.
struct KeptTokens {
    std::string rotation_id;
    TunnelToken fresh;
    TunnelToken old;
};

/// Nothing where no rotation is open.
[[nodiscard]] Result<std::optional<KeptTokens>> kept_tokens(TokenStore& tokens,
                                                            const TunnelPolicy& policy);

/// Those of an open rotation; `missing`, with the remedy, where they are gone.
[[nodiscard]] Result<KeptTokens> needed_tokens(TokenStore& tokens, const TunnelPolicy& policy);

}  // namespace keyturn
