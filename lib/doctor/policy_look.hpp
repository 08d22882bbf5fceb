#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "doctor/facts.hpp"
#include "policy/policy.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class Foreground;

/// An API token of the policy, and what was seen of it.
struct CredentialLook {
    CredentialSeen seen;
    std::optional<Secret> api_token;  ///< Empty if it cannot be used.
};

/// Looks at the API tokens of the policy. `settings` are those of keyturnd.service, which name the
/// files of its systemd credentials.
[[nodiscard]] std::vector<CredentialLook> look_at_credentials(const CloudflarePolicy& policy,
                                                              const UnitSettings& settings);

/// Reads what keyturnd is given as this credential, from the file that it is in, and decrypts it if
/// necessary.
[[nodiscard]] Result<Secret> text_of_credential(const CredentialSource& source,
                                                const UnitSettings& settings);

/// Looks at the units and the token file of a tunnel. Cloudflare is not asked.
[[nodiscard]] TunnelSeen look_at_tunnel(Foreground& host, const TunnelPolicy& policy);

/// Looks at a token file like keyturnd does. `owner` is the user id of keyturnd.
[[nodiscard]] TokenFileSeen look_at_token_file(const std::string& path, unsigned owner);

}  // namespace keyturn
