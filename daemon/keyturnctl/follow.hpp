#pragma once

#include "client.hpp"
#include "exit_code.hpp"
#include "live_view.hpp"

#include <functional>
#include <string>

namespace keyturn {

/// Asks keyturnd for something before the display begins; empty: there is nothing to ask for.
/// Returns
/// "" if keyturnd accepts it, or its text if it does not because a rotation is already open.
using Request = std::function<Result<std::string>(Client&)>;

/// Makes the request, then shows the subject until its end, even if keyturnd or the bus restarts.
/// If a rotation is already open, shows that one. Ctrl-C ends only the display.
[[nodiscard]] Result<ExitCode> follow(Client client, const Subject& subject,
                                      const Request& request);

}  // namespace keyturn
