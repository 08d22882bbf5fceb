#pragma once

#include "base/error.hpp"
#include "http/http_client.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// One of the calls that `TunnelApi` makes, as far as its failures differ.
struct ApiCall {
    std::string_view name;  ///< "GET token": how texts call it.
    std::string_view method;
    std::string_view suffix;  ///< What follows the tunnel in the path.
    bool writes;              ///< It changes something: without a definite answer it is ambiguous.
    bool needs_write;         ///< A read-only API token does not suffice.
};

/// What no answer at all means for that call.
[[nodiscard]] Error fault_without_answer(const ApiCall& call, const std::string& tunnel,
                                         Error error);

/// What an answer outside 2xx means.
[[nodiscard]] Error fault_of_answer(const ApiCall& call, const std::string& tunnel,
                                    const HttpResponse& response);

/// What a 2xx answer means whose body `why` was refused.
[[nodiscard]] Error fault_of_body(const ApiCall& call, const std::string& tunnel,
                                  const HttpResponse& response, const Error& why);

}  // namespace keyturn
