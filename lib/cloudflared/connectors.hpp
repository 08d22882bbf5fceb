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

    /// Finds the metrics server in the unit's control groups (NETLINK_SOCK_DIAG) and asks it, all
    /// within two seconds. An error's text says why the unit's state is unknown, and fits after
    /// "cannot ask /ready: ". Faults: `missing` if nothing of that unit listens where keyturnd can
    /// see it; `unreachable` if it does not answer in time, is known to have its own network, or no
    /// file descriptor is left; `denied` if keyturnd may not read the kernel's list of sockets;
    /// `invalid` if the kernel does not say which unit a socket belongs to, or the server listens
    /// where it cannot be asked.
    virtual Task<Result<Readiness>> readiness(UnitState unit) = 0;

    /// What the disk says about the token of a unit's connector. Only reads, and does not wait.
    [[nodiscard]] virtual ConnectorFiles files(const UnitSettings& settings) = 0;
};

/// The options for the client that is passed to `make_connectors`: two seconds for a request, and
/// no TLS to any address of this host.
[[nodiscard]] HttpClientOptions connector_http_options();

/// Returns the address of a unit's metrics server, if it is known from elsewhere.
using KnownMetricsAddress = std::function<Task<std::optional<std::string>>(std::string unit)>;

/// Where a unit is asked if the kernel does not show its server.
struct MetricsAddresses {
    /// The one that `--metrics` fixes in the unit (`metrics_address_of`). It is used only if the
    /// kernel does not say which unit a socket belongs to.
    KnownMetricsAddress fixed;
    /// The one that the policy says (`metrics_address:`). It is used only if nothing listens in the
    /// unit's control group. If something listens at that address, it has to be a socket of root:
    /// another user of this host must not speak for the unit.
    KnownMetricsAddress published;
};

/// `http` must outlive the result. It should not be shared, because its limits apply to all its
/// requests.
[[nodiscard]] std::unique_ptr<Connectors> make_connectors(HttpClient& http,
                                                          MetricsAddresses addresses = {});

}  // namespace keyturn
