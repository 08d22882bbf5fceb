#pragma once

#include "doctor/facts.hpp"
#include "doctor/policy_look.hpp"
#include "http/proxy.hpp"
#include "policy/policy.hpp"

#include <vector>

namespace keyturn {

class Foreground;

/// Asks Cloudflare about the API tokens and the tunnels of the policy, and changes nothing there.
/// A question whose answer is known from an earlier failure is not asked. `reachable`: the API
/// accepted a connection a moment ago, or the proxy did.
void look_at_cloudflare(Foreground& host, const CloudflarePolicy& policy, const ProxyChoice& proxy,
                        bool reachable, std::vector<CredentialLook>& credentials, HostFacts& facts);

}  // namespace keyturn
