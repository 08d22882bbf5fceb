#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "model/connector.hpp"
#include "policy/policy.hpp"
#include "time/moment.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class HttpClient;
struct RateLimit;

/// A tunnel as every call of the API names it.
struct TunnelRef {
    std::string account;
    std::string tunnel;
};

/// GET tunnel, as far as a rotation cares.
struct TunnelFacts {
    std::string name;
    std::string status;    ///< inactive, down, degraded or healthy.
    bool deleted = false;  ///< `deleted_at` is set: such a tunnel still answers 200.
};

/// GET token.
struct TokenAnswer {
    Secret token;
    std::optional<WallTime> server_time;  ///< The Date header.
};

/// The calls of Cloudflare's API that a rotation makes, for one credential.
///
/// No call retries: what to do next is the caller's decision. Faults: `denied` for 401 and 403, and
/// for a 400 that is about the credential (the text names the missing permission), `missing` for
/// 404, `conflict` for 409, `busy` for 429 and for Cloudflare's throttling codes with any status
/// (with `retry_after`), `unreachable` for whatever never reached the server and for 5xx of a read,
/// `ambiguous` for a PATCH that was sent and got no definite answer (5xx, closed, timed out, a 2xx
/// that is no envelope reporting success), `invalid` for an answer that makes no sense, `cancelled`
/// when the caller was cancelled. Texts name the call, the HTTP status, Cloudflare's error code and
/// message, and cf-ray; never a body.
class TunnelApi {
  public:
    virtual ~TunnelApi() = default;

    virtual Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) = 0;

    /// Needs a Write permission, which makes it the check of permissions without side effects.
    virtual Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) = 0;

    /// PATCH {"tunnel_secret"} and nothing else: a stale `name` would rename the tunnel.
    /// `secret` is the base64 text. Success is a definite 2xx; the token comes with it when the
    /// answer carried one (no schema promises it).
    virtual Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                             const Secret& secret) = 0;

    /// Every connector with at least one connection, in the API's order.
    virtual Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) = 0;

    /// Drops a connector's connections, or with an empty `connector` those of all. A live one comes
    /// back by itself if its token is right. Success, too, when nothing of that id is connected.
    virtual Task<Result<void>> evict(TunnelRef tunnel, std::string connector) = 0;

    /// Closes the kept connection and frees the TLS context: called when a rotation ends.
    virtual void close_idle() = 0;
};

/// Is told the limits that an answer speaks of, whatever its status, before the call returns.
using HearLimits = std::function<void(const std::vector<RateLimit>&)>;

/// `api_token` is the bearer token, or why there is none: every call ends with that. `http`
/// outlives the client.
[[nodiscard]] std::unique_ptr<TunnelApi> make_tunnel_api(HttpClient& http, std::string api_url,
                                                         Result<Secret> api_token,
                                                         HearLimits hear = {});

}  // namespace keyturn
