#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "cloudflared/readiness.hpp"
#include "cloudflared/token_source.hpp"
#include "units/unit_state.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

class HttpClient;
struct HttpLimits;

/// The cloudflared processes behind units.
class Connectors {
  public:
    virtual ~Connectors() = default;

    /// Finds the metrics server of the unit's control group (NETLINK_SOCK_DIAG) and asks it.
    /// `missing` when nothing of that unit listens (it is starting, or restarting), `unreachable`
    /// when it listens and does not answer within two seconds, `denied` when the kernel's list of
    /// sockets is closed to us, `invalid` when the server listens where only others can ask it.
    virtual Task<Result<Readiness>> readiness(UnitState unit) = 0;

    /// What the disk says about the token of a unit's connector. Reads, and does not wait.
    [[nodiscard]] virtual ConnectorFiles files(const UnitSettings& settings) = 0;
};

/// The limits for the client that is handed to `make_connectors`: two seconds a request.
[[nodiscard]] HttpLimits connector_http_limits();

/// Says which address `--metrics` fixes in a unit (`metrics_address_of`), if any. It is asked only
/// where the kernel does not tell whose a socket is.
using FixedMetricsAddress = std::function<Task<std::optional<std::string>>(std::string unit)>;

/// `http` outlives it. It should be a client of its own: its limits are those of every exchange.
[[nodiscard]] std::unique_ptr<Connectors> make_connectors(HttpClient& http,
                                                          FixedMetricsAddress fixed = {});

}  // namespace keyturn
