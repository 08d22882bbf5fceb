#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "policy/policy.hpp"

#include <map>
#include <string>

namespace keyturn {

/// Reads a Cloudflare API token: a systemd credential of ours ($CREDENTIALS_DIRECTORY/NAME), or a
/// file that nobody else may read. White space around it is dropped. The text of an error names the
/// file and the remedy.
[[nodiscard]] Result<Secret> read_credential(const CredentialSource& source);

/// The API token of each credential of the policy, by its name. The text of an error names the
/// credential.
[[nodiscard]] Result<std::map<std::string, Secret>> read_credentials(const Policy& policy);

}  // namespace keyturn
