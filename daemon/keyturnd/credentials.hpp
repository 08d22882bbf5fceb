#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "policy/policy.hpp"

namespace keyturn {

/// Reads a Cloudflare API token: a systemd credential of ours ($CREDENTIALS_DIRECTORY/NAME), or a
/// file that nobody else may read. White space around it is dropped. The text of an error names the
/// file and the remedy.
[[nodiscard]] Result<Secret> read_credential(const CredentialSource& source);

}  // namespace keyturn
