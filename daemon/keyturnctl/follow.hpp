#pragma once

#include "client.hpp"
#include "exit_code.hpp"
#include "follower.hpp"

#include <functional>

namespace keyturn {

/// Makes the request, then shows the rotation until it ends, even if keyturnd or the bus restarts.
/// Ctrl-C ends only the display; the rotation continues.
[[nodiscard]] Result<ExitCode> follow(Client client, const std::string& tunnel,
                                      const Wanted& wanted,
                                      const std::function<Result<void>(Client&)>& request);

}  // namespace keyturn
