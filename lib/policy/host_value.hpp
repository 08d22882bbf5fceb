#pragma once

#include "base/result.hpp"
#include "policy/value.hpp"

#include <string_view>

namespace keyturn {

/// These functions read what tells the hosts of a tunnel apart. Errors are `Fault::invalid`; their
/// text completes "`KEY` ...".
[[nodiscard]] Result<PolicyValue> read_host_name(std::string_view text);

/// The result is the shortest form of the address, which is how Cloudflare writes it.
[[nodiscard]] Result<PolicyValue> read_ip_address(std::string_view text);

[[nodiscard]] Result<PolicyValue> read_feature_tag(std::string_view text);

}  // namespace keyturn
