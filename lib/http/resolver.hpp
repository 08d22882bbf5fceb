#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace keyturn {

using Addresses = std::vector<boost::asio::ip::address>;

/// Finds the addresses of `host`: `host` itself if it is an address, otherwise from /etc/hosts,
/// otherwise from the name servers in /etc/resolv.conf (or `name_servers`, "127.0.0.1:5353,...").
/// On success there are 1 to `addresses_max`, with alternating families, so that a broken family
/// costs only the head start of one attempt. Ends within `limit`. Fails with `unreachable` or
/// `invalid`; throws `operation_aborted` on cancellation. It ignores search domains: the name of an
/// API is complete, and a search list would let a network redirect it.
[[nodiscard]] Task<Result<Addresses>> resolve(std::string host, std::string name_servers,
                                              std::chrono::milliseconds limit);

inline constexpr std::size_t addresses_max = 6;

}  // namespace keyturn
