#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <vector>

namespace keyturn {

/// How a connection to one of several addresses is made.
struct RaceOptions {
    std::chrono::milliseconds limit{0};
    /// Each connection comes from the address that it goes to. That fails for an address of another
    /// host, and what goes from an address to itself does not leave the host.
    bool from_itself = false;
    /// How long an attempt goes on alone (RFC 8305, section 5).
    std::chrono::milliseconds head_start{250};
};

/// Connects to the first endpoint that answers ("happy eyeballs"). Begins in the order of the
/// endpoints: the next attempt begins after `head_start`, or at once if one fails, while the
/// earlier ones go on. So an address that swallows packets costs a quarter of a second, not the
/// time for the others. All attempts but the winner are closed at the end.
///
/// Fails with `unreachable` and a clause that says what came of each address; throws
/// `operation_aborted` on cancellation.
[[nodiscard]] Task<Result<boost::asio::ip::tcp::socket>> connect_to_first(
    std::vector<boost::asio::ip::tcp::endpoint> endpoints, RaceOptions options);

}  // namespace keyturn
