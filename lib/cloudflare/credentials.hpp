#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "http/proxy.hpp"
#include "policy/policy.hpp"

#include <map>
#include <string>
#include <vector>

namespace keyturn {

/// Reads a Cloudflare API token: a file in the directory of our systemd credentials, or a
/// file that nobody else may read. Nobody but root and ourselves may be able to change the file or
/// a directory on the way to it; of systemd's directory, `check_credentials` finds that out. White
/// space around it is dropped. `missing` where there is none. The text of an error names the file
/// and the remedy.
[[nodiscard]] Result<Secret> read_credential(const CredentialSource& source,
                                             const std::string& directory);

/// Reads each credential of the policy once, and keeps none. Also checks that `ca_file` and the
/// directory of systemd can be trusted. The text of an error names the credential. A credential
/// that is missing is no error: it is in the result, by its name, with what every call that would
/// use it fails with.
[[nodiscard]] Result<std::map<std::string, Error>> check_credentials(const Policy& policy,
                                                                     const std::string& directory);

/// Reads the API token again for each call, so that it is in memory only as long as a call. A file
/// that has changed since is used as it is now. What systemd hands over does not change until
/// keyturnd restarts. If a token that could be read before cannot be read any more, the error is
/// `unreachable`: a person may be replacing the file, so a rotation waits. `missing` becomes
/// `denied`, because nothing can be asked of Cloudflare until a person has put the file there.
/// `was_there`: `check_credentials` has not missed it.
[[nodiscard]] ReadApiToken api_token_reader(CredentialSource source, std::string directory,
                                            bool was_there);

/// Reads the login of the policy's proxy in the same way: USER:PASSWORD on one line. Without a
/// proxy in the policy, the variables decide. The error, `denied`, names what to correct.
[[nodiscard]] ProxyChoice read_proxy(const ProxyPolicy& policy, const std::string& directory,
                                     const ProxyVariables& variables);

/// Makes the proxy of the policy, with a login that was read.
[[nodiscard]] ProxyChoice make_proxy(const ProxyPolicy& policy, Secret login);

/// Finds USER:PASSWORD in the text of a file, without the blanks and line ends around it. Anything
/// else is `Fault::invalid` with a clause that never quotes the text.
[[nodiscard]] Result<std::string_view> find_proxy_login(std::string_view text);

/// What keyturnd needs to ask Cloudflare.
struct ApiAccess {
    std::string credentials_directory;     ///< Where systemd has put credentials; empty for none.
    std::map<std::string, Error> missing;  ///< Of `check_credentials`.
    ProxyChoice proxy = std::shared_ptr<const HttpProxy>();
};

/// Finds all of it. Fails only like `check_credentials`.
[[nodiscard]] Result<ApiAccess> read_access(const Policy& policy, const std::string& directory,
                                            const ProxyVariables& variables);

/// What is missing, a clause for each.
[[nodiscard]] std::vector<std::string> problems_of(const ApiAccess& access);

}  // namespace keyturn
