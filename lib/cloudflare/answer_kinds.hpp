#pragma once

#include "cloudflare/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// Why an answer is no success, as far as its remedy differs.
enum class AnswerKind {
    limited,           ///< 429, or a code that says the same.
    address_refused,   ///< The API token may be used from other addresses only.
    token_malformed,   ///< What was sent is no API token at all.
    token_unknown,     ///< Cloudflare does not know the API token.
    token_refused,     ///< Its permission or its account does not suffice.
    blocked,           ///< A firewall or a challenge in front of the API answered with 403.
    proxy_login,       ///< Something between wants a login.
    not_routed,        ///< No such path: an id is wrong.
    page_not_found,    ///< 404, but not of the API.
    not_found,         ///< The API's 404.
    conflicting,       ///< 409.
    redirected,        ///< 3xx.
    failing,           ///< 5xx and 408 of the API.
    failing_in_front,  ///< A page with 5xx: the API was not reached.
    not_taken,         ///< Any other status.
    page_for_success,  ///< 2xx with a page.
    unread_success,    ///< 2xx with a body that is not what was asked for.
    failed_success,    ///< 2xx with `success: false`.
};

/// One word or two, for tests.
[[nodiscard]] std::string_view name_of(AnswerKind kind);

/// What an answer with that status and body is.
[[nodiscard]] AnswerKind kind_of_answer(int status, const ApiErrors& errors);

/// What it means, and what to do about it; a clause without a full stop. `needs_write`: the call
/// does not work with an API token that may only read.
[[nodiscard]] std::string remedy_of(AnswerKind kind, bool needs_write);

}  // namespace keyturn
