#pragma once

#include "base/result.hpp"
#include "fleet/document.hpp"

#include <cstdint>
#include <string>

namespace keyturn {

// What people do to the object, and the answer to their orders. These are transitions too, as
// transitions.hpp describes them.

/// Places what somebody typed on a host: `given` with its id, host, kind and request. Fails with
/// `busy` if the order before it is still open. A compromise waits for no other.
[[nodiscard]] Result<void> order(FleetDocument& document, const FleetOrder& given);

/// The order was carried out, or refused for this reason. Without a reason it stays open until the
/// state shows that it was: a revert that only the lead knows of would be lost with it.
[[nodiscard]] Result<void> answer_order(FleetDocument& document, std::uint64_t number,
                                        const std::string& refusal);

[[nodiscard]] Result<void> join(FleetDocument& document, const std::string& host,
                                const FleetMember& member);

/// Another machine, or an older state of it, takes the name of the host. What was proven of the
/// units was proven of other processes, so that the open rotation restarts them again.
[[nodiscard]] Result<void> rejoin(FleetDocument& document, const std::string& host,
                                  const FleetMember& member);

/// The host is gone for ever: its units leave the open rotation, and its turn ends. Lifts a hold
/// that was about it, or about a host that is silent.
[[nodiscard]] Result<void> decommission(FleetDocument& document, const std::string& host);

}  // namespace keyturn
