#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/url.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// An HTTP proxy that has to be asked for a connection (CONNECT) where a network lets nothing else
/// out. It sees the name of the server and no more: TLS is between keyturn and the server.
struct HttpProxy {
    HttpOrigin origin;                  ///< Without TLS.
    Secret login;                       ///< "user:password" for Basic authentication; or empty.
    std::string login_place;            ///< Where a person corrects it: "`credential` of ...".
    std::vector<std::string> no_proxy;  ///< See base/no_proxy.hpp.
};

/// The proxy to use, null for none, or why it cannot be used, with which every request that needs
/// it ends.
using ProxyChoice = Result<std::shared_ptr<const HttpProxy>>;

/// "the proxy proxy.example.com:3128".
[[nodiscard]] std::string name_of(const HttpProxy& proxy);

/// True if requests to `origin` go through a proxy with these exceptions. Requests without TLS and
/// to loopback never do: they stay on this host. Pure.
[[nodiscard]] bool needs_proxy(const HttpOrigin& origin, const std::vector<std::string>& no_proxy);

/// The variables of an environment that are about proxies. Each also exists in lower case, which
/// then wins, as for curl.
struct ProxyVariables {
    std::string_view https_proxy;  ///< HTTPS_PROXY
    std::string_view no_proxy;     ///< NO_PROXY
};

/// Reads them with `get`, which is std::getenv.
[[nodiscard]] ProxyVariables read_proxy_variables(char* (*get)(const char*));

/// The proxy that the variables name: "http://[USER:PASSWORD@]HOST[:PORT]", also without http://.
/// An error is `denied`, because a person has to act, and never quotes the value, which may hold a
/// password. Pure.
[[nodiscard]] ProxyChoice proxy_in(const ProxyVariables& variables);

}  // namespace keyturn
