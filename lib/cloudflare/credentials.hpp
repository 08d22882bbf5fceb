#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "policy/policy.hpp"

#include <map>
#include <string>

namespace keyturn {

/// Reads a Cloudflare API token: a file in the directory of our systemd credentials, or a
/// file that nobody else may read. Nobody but root and ourselves may be able to change the file or
/// a directory on the way to it. White space around it is dropped. `missing` where there is none.
/// The text of an error names the file and the remedy.
[[nodiscard]] Result<Secret> read_credential(const CredentialSource& source,
                                             const std::string& directory);

/// The API token of each credential of the policy, by its name; or why there is none, which every
/// call that would use it ends with.
using ApiTokens = std::map<std::string, Result<Secret>>;

/// Also checks that `ca_file` can be trusted. The text of an error names the credential. A
/// credential that is missing is no error.
[[nodiscard]] Result<ApiTokens> read_credentials(const Policy& policy,
                                                 const std::string& directory);

}  // namespace keyturn
