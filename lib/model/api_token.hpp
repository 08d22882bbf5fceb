#pragma once

#include "time/moment.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// What Cloudflare says about an API token itself, whatever the token may do.
enum class ApiTokenVerdict {
    active,
    inactive,         ///< Disabled, expired, or not valid yet.
    unknown,          ///< Cloudflare does not know it.
    malformed,        ///< It is not an API token at all.
    address_refused,  ///< It may not be used from this host's address.
    unclear,          ///< The answer does not say.
};

/// The answer of Cloudflare's call that verifies an API token.
struct ApiTokenCheck {
    ApiTokenVerdict verdict = ApiTokenVerdict::unclear;
    std::string status;                   ///< "active", "disabled", "expired"; empty if unknown.
    std::optional<WallTime> expires;      ///< Empty if it never expires.
    std::string seen;                     ///< The answer in words, for anything but `active`.
    std::optional<WallTime> server_time;  ///< The Date header of the answer.

    bool operator==(const ApiTokenCheck&) const = default;
};

}  // namespace keyturn
