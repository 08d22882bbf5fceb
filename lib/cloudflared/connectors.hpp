#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "cloudflared/readiness.hpp"
#include "units/unit_state.hpp"

#include <memory>

namespace keyturn {

class HttpClient;

/// The cloudflared processes behind units.
class Connectors {
  public:
    virtual ~Connectors() = default;

    /// Finds the metrics server of the unit's control group (NETLINK_SOCK_DIAG) and asks it.
    /// `missing` when nothing of that unit listens (it is starting, or restarting), `unreachable`
    /// when it listens and does not answer within two seconds.
    virtual Task<Result<Readiness>> readiness(UnitState unit) = 0;
};

/// `http` outlives it.
[[nodiscard]] std::unique_ptr<Connectors> make_connectors(HttpClient& http);

}  // namespace keyturn
