#pragma once

#include "doctor/facts.hpp"

#include <functional>
#include <string_view>

namespace keyturn {

/// Is told what is looked at: "the network".
using Progress = std::function<void(std::string_view what)>;

/// Looks at everything that the doctor checks. Takes some seconds where something does not answer.
/// The API's host comes from the policy.
[[nodiscard]] HostFacts gather_host_facts(Progress progress);

}  // namespace keyturn
