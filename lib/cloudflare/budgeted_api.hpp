#pragma once

#include "cloudflare/tunnel_api.hpp"

#include <memory>
#include <string>

namespace keyturn {

class ApiBudget;
class Clock;

/// Makes the same calls within the budget. A call without room is not sent and does not wait here:
/// it fails with `busy` and the time until there is room, so the caller can decide what to do
/// meanwhile. Answers pass through unchanged. The budget and the clock must outlive the result.
[[nodiscard]] std::unique_ptr<TunnelApi> make_budgeted_api(std::unique_ptr<TunnelApi> api,
                                                           std::string credential,
                                                           ApiBudget& budget, const Clock& clock);

}  // namespace keyturn
