#pragma once

#include "base/result.hpp"
#include "base/url.hpp"

#include <string_view>

namespace keyturn {

// One entry of a list of hosts that are reached without a proxy, in the sense of NO_PROXY:
//
//   *                                     every host
//   example.com                           this host and all hosts below it
//   .example.com, *.example.com           only the hosts below it
//   192.0.2.1, 2001:db8::1, 192.0.2.0/24  an origin whose host is written as an address
//   example.com:8443, [2001:db8::1]:8443  only this port

/// Checks an entry. Errors are `Fault::invalid`; their text completes "`no_proxy` ...".
[[nodiscard]] Result<void> check_no_proxy(std::string_view entry);

/// True if the entry stands for the origin. An entry that `check_no_proxy` refuses stands for none.
[[nodiscard]] bool is_without_proxy(const HttpOrigin& origin, std::string_view entry);

}  // namespace keyturn
