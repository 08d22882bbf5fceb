#pragma once

#include "base/error.hpp"
#include "cloudflare/messages.hpp"

#include <string>

namespace keyturn {

/// Why an answer is not a success. Kinds differ where their remedies differ.
enum class AnswerKind {
    limited,           ///< 429, or a code that says the same.
    address_refused,   ///< The API token is not allowed from this host's address.
    token_malformed,   ///< What was sent is not an API token at all.
    token_unknown,     ///< Cloudflare does not know the API token.
    token_refused,     ///< The API token lacks the permission or the account.
    blocked,           ///< A firewall or a challenge in front of the API answered with 403.
    proxy_login,       ///< Something in between asks for a login.
    not_routed,        ///< No such path: an id is wrong.
    page_not_found,    ///< 404, but not from the API.
    not_found,         ///< 404 from the API.
    conflicting,       ///< 409.
    redirected,        ///< 3xx.
    failing,           ///< 5xx or 408 from the API.
    failing_in_front,  ///< A page with 5xx: the API was not reached.
    not_taken,         ///< Any other status.
    page_for_success,  ///< 2xx with a page.
    unread_success,    ///< 2xx with a body of another form than expected.
    failed_success,    ///< 2xx with `success: false`.
};

/// What the kind means for the caller of a call that changes nothing.
[[nodiscard]] Fault fault_of(AnswerKind kind);

/// The kind of an answer that is not a success.
[[nodiscard]] AnswerKind kind_of_answer(int status, const ApiErrors& errors);

/// What the kind means and what to do about it: a clause without a full stop. `needs_write`: the
/// call does not work with a read-only API token.
[[nodiscard]] std::string remedy_of(AnswerKind kind, bool needs_write);

}  // namespace keyturn
