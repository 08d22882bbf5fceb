#pragma once

#include "doctor/facts.hpp"
#include "doctor/network_look.hpp"

namespace keyturn {

/// Looks at everything that the doctor checks. Takes some seconds where something does not answer.
/// The API's host comes from the policy.
[[nodiscard]] HostFacts gather_host_facts(NetworkOptions network = NetworkOptions{});

}  // namespace keyturn
