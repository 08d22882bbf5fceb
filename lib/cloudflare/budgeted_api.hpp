#pragma once

#include "cloudflare/tunnel_api.hpp"

#include <memory>
#include <string>

namespace keyturn {

class ApiBudget;
class Clock;

/// The same calls within the budget. One that has no room is not sent and does not wait here: it is
/// `busy`, with the time after which there will be room, so that whoever asked decides what to do
/// meanwhile. Nothing stands between an answer and whoever asked. Budget and clock outlive it.
[[nodiscard]] std::unique_ptr<TunnelApi> make_budgeted_api(std::unique_ptr<TunnelApi> api,
                                                           std::string credential,
                                                           ApiBudget& budget, const Clock& clock);

}  // namespace keyturn
