#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "cloudflared/token_source.hpp"
#include "model/readiness.hpp"
#include "model/unit_state.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

class HttpClient;
struct HttpClientOptions;

/// The cloudflared processes behind units.
class Connectors {
  public:
    virtual ~Connectors() = default;

    /// Finds the metrics server of the unit's control groups (NETLINK_SOCK_DIAG) and asks it, all
    /// within two seconds. The text of an error is the reason why nothing is known of the unit now,
    /// fit to be shown after "cannot ask /ready: ". `missing` when nothing of that unit listens
    /// where we can see it; `unreachable` when it does not answer in time, is known to have a
    /// network of its own, or no file descriptor is left; `denied` when the kernel's list of
    /// sockets is closed to us; `invalid` when the kernel does not tell, or the server listens
    /// where it cannot be asked.
    virtual Task<Result<Readiness>> readiness(UnitState unit) = 0;

    /// What the disk says about the token of a unit's connector. Reads, and does not wait.
    [[nodiscard]] virtual ConnectorFiles files(const UnitSettings& settings) = 0;
};

/// What the client that is handed to `make_connectors` has to be made with: two seconds a request,
/// and without TLS to every address of this host.
[[nodiscard]] HttpClientOptions connector_http_options();

/// Says which address `--metrics` fixes in a unit (`metrics_address_of`), if any. It is asked only
/// where the kernel does not tell whose a socket is.
using FixedMetricsAddress = std::function<Task<std::optional<std::string>>(std::string unit)>;

/// `http` outlives it. It should be a client of its own: its limits are those of every exchange.
[[nodiscard]] std::unique_ptr<Connectors> make_connectors(HttpClient& http,
                                                          FixedMetricsAddress fixed = {});

}  // namespace keyturn
