#pragma once

#include "http/proxy.hpp"
#include "model/unit_state.hpp"
#include "policy/policy.hpp"

#include <cstdint>
#include <string_view>

namespace keyturn {

/// The proxy that keyturnd uses on the way to Cloudflare: that of the policy, or that of the
/// environment of its process. `settings` are those of keyturnd.service, which name the file of the
/// login. If keyturnd does not run (`process` is 0), the environment of this process counts.
[[nodiscard]] ProxyChoice look_at_proxy(const ProxyPolicy& policy, const UnitSettings& settings,
                                        std::uint32_t process);

/// The proxy that a text of NAME=VALUE entries with a NUL after each names. Pure.
[[nodiscard]] ProxyChoice proxy_in_entries(std::string_view entries);

}  // namespace keyturn
