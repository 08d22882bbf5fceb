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

/// A tunnel as every call of the API identifies it.
struct TunnelRef {
    std::string account;
    std::string tunnel;
};

/// The answer to GET tunnel, as far as a rotation needs it.
struct TunnelFacts {
    std::string name{};
    bool deleted = false;  ///< `deleted_at` is set; such a tunnel still answers 200.
};

/// The answer to GET token.
struct TokenAnswer {
    Secret token;
    std::optional<WallTime> server_time;  ///< The Date header.
};

/// The calls of Cloudflare's API that a rotation makes, with one credential.
///
/// No call retries: the caller decides what to do next. Faults: `denied` for 401 and 403, and for a
/// 400 about the credential (the text names the missing permission); `missing` for 404; `conflict`
/// for 409; `busy` for 429 and for Cloudflare's throttling codes with any status (with
/// `retry_after`); `unreachable` for whatever never reached the server and for 5xx of a read;
/// `ambiguous` for a write that was sent and got no definite answer (5xx, closed, timed out, a 2xx
/// that is not an envelope reporting success); `invalid` for an answer that makes no sense;
/// `cancelled` if the caller was cancelled. Texts name the call, the HTTP status, Cloudflare's
/// error code and message, and cf-ray, but never a body.
class TunnelApi {
  public:
    virtual ~TunnelApi() = default;

    virtual Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) = 0;

    /// Needs a Write permission, so it also checks permissions without side effects.
    virtual Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) = 0;

    /// PATCH {"tunnel_secret"} and nothing else: a stale `name` would rename the tunnel. `secret`
    /// is the base64 text. Success means a definite 2xx. The token is there if the answer contains
    /// one, which the documentation shows but no schema promises.
    virtual Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                             const Secret& secret) = 0;

    /// Lists every connector with at least one connection, in the API's order.
    virtual Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) = 0;

    /// Drops the connections of one connector, or of all connectors if `connector` is empty. A
    /// running connector reconnects automatically if its token is right. Succeeds even if no
    /// connector has that id.
    virtual Task<Result<void>> evict(TunnelRef tunnel, std::string connector) = 0;

    /// Closes the kept connection and frees the TLS context. Called when a rotation ends.
    virtual void close_idle() = 0;
};

/// Receives the limits that an answer reports, whatever its status, before the call returns.
using HearLimits = std::function<void(const std::vector<RateLimit>&)>;

/// Reads the API token for one call; or the error with which the call fails.
using ReadApiToken = std::function<Result<Secret>()>;

/// Reads the bearer token for each call, and has it in memory only during the call. `http` must
/// outlive the result.
[[nodiscard]] std::unique_ptr<TunnelApi> make_tunnel_api(HttpClient& http, std::string api_url,
                                                         ReadApiToken read_api_token,
                                                         HearLimits hear = {});

/// The same with a token that stays in memory, for a program that ends after a few calls.
[[nodiscard]] std::unique_ptr<TunnelApi> make_tunnel_api(HttpClient& http, std::string api_url,
                                                         Secret api_token);

}  // namespace keyturn
