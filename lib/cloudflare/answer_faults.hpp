#pragma once

#include "base/error.hpp"
#include "http/http_client.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// One of the calls of `TunnelApi`, with what decides how its failures are understood.
struct ApiCall {
    std::string_view name;  ///< "GET token": its name in messages.
    std::string_view method;
    std::string_view suffix;  ///< The part of the path after the tunnel.
    bool writes;              ///< Changes something, so no definite answer means ambiguous.
    bool needs_write;         ///< Does not work with a read-only API token.
};

/// The error of a call that got no answer at all. It is `ambiguous` only if the call writes.
[[nodiscard]] Error fault_without_answer(const ApiCall& call, const std::string& tunnel,
                                         Error error);

/// The error of a call whose answer is not 2xx.
[[nodiscard]] Error fault_of_answer(const ApiCall& call, const std::string& tunnel,
                                    const HttpResponse& response);

/// The error of a call whose answer is 2xx but whose body was refused, for the reason `why`.
[[nodiscard]] Error fault_of_body(const ApiCall& call, const std::string& tunnel,
                                  const HttpResponse& response, const Error& why);

}  // namespace keyturn
