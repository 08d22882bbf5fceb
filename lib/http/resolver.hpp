#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace keyturn {

using Addresses = std::vector<boost::asio::ip::address>;

/// The addresses of `host`: itself when it is an address, else from /etc/hosts, else from the name
/// servers of /etc/resolv.conf (or `name_servers`, "127.0.0.1:5353,..."). At least one on success,
/// at most `addresses_max`, the families taking turns so that a broken one costs one attempt. Ends
/// within `limit`; throws `operation_aborted` on cancellation. Search domains are not used: the
/// name of an API is complete, and a search list would let a network redirect it.
[[nodiscard]] Task<Result<Addresses>> resolve(std::string host, std::string name_servers,
                                              std::chrono::milliseconds limit);

inline constexpr std::size_t addresses_max = 6;

}  // namespace keyturn
