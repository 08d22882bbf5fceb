#include "cloudflare/answer_faults.hpp"

#include "cloudflare/answer_headers.hpp"
#include "cloudflare/messages.hpp"
#include "cloudflare/safe_text.hpp"

#include <fmt/format.h>

namespace keyturn {

namespace {

constexpr std::size_t ray_size_max = 40;

/// 971 has been seen with 429 and with 500; the other two are the words of older releases.
bool is_throttled(const ApiErrors& errors) {
    return errors.has_any({971, 10'429, 10'100});
}

/// The API token is malformed, unknown or of the wrong kind, although the status says "bad
/// request".
bool is_about_credential(const ApiErrors& errors) {
    return errors.has_any({6003, 6103, 6111, 1000, 1001, 9106, 9109, 10'000});
}

Fault fault_of_status(const ApiCall& call, int status, const ApiErrors& errors) {
    if (status == 429 || (status >= 400 && is_throttled(errors))) return Fault::busy;
    if (status == 401 || status == 403) return Fault::denied;
    if (status == 404) return Fault::missing;
    if (status == 409) return Fault::conflict;
    if (status == 400 && is_about_credential(errors)) return Fault::denied;
    if (status == 408 || status >= 500) return call.writes ? Fault::ambiguous : Fault::unreachable;
    return Fault::invalid;
}

std::string advice_on_credential(const ApiCall& call, int status) {
    if (status == 400) {
        return "the API token is malformed, or a tunnel token was given in its place: put an API "
               "token with the permission Cloudflare Tunnel Write into the credential";
    }
    return fmt::format(
        "the API token is not valid or lacks a permission: it needs Cloudflare Tunnel "
        "{} for this account; make or change it under My Profile, API Tokens",
        call.needs_write ? "Write" : "Read or Write");
}

std::string advice(const ApiCall& call, int status, Fault fault) {
    switch (fault) {
        case Fault::denied: return advice_on_credential(call, status);
        case Fault::missing:
            return "the account or the tunnel does not exist: check `account:` and `tunnel:`";
        case Fault::busy: return "Cloudflare asks to call less often";
        default: break;
    }
    if (status >= 300 && status < 400) return "a redirect is not followed; check `api_url:`";
    return {};
}

/// "PATCH tunnel_secret of tunnel f70ff985-...: HTTP 403, 10000 "..." (cf-ray 8f-DFW)".
std::string what_came(const ApiCall& call, const std::string& tunnel, const HttpResponse& response,
                      std::string_view details) {
    const std::string ray = safe_text(response.header("cf-ray"), ray_size_max);
    return fmt::format("{} of tunnel {}: HTTP {}{}{}{}", call.name, safe_text(tunnel, ray_size_max),
                       response.status, details.empty() ? "" : ", ", details,
                       ray.empty() ? "" : fmt::format(" (cf-ray {})", ray));
}

}  // namespace

Error fault_without_answer(const ApiCall& call, const std::string& tunnel, Error error) {
    if (call.writes && error.fault == Fault::invalid) error.fault = Fault::ambiguous;
    if (!call.writes && error.fault == Fault::ambiguous) error.fault = Fault::unreachable;
    return with_context(fmt::format("{} of tunnel {}", call.name, safe_text(tunnel, ray_size_max)),
                        std::move(error));
}

Error fault_of_answer(const ApiCall& call, const std::string& tunnel,
                      const HttpResponse& response) {
    const ApiErrors errors = parse_errors(response.body.reveal());
    Error error;
    error.fault = fault_of_status(call, response.status, errors);
    error.text = what_came(call, tunnel, response, errors.text);
    const std::string what_to_do = advice(call, response.status, error.fault);
    if (!what_to_do.empty()) error.text += ": " + what_to_do;
    if (passes_by_itself(error.fault)) {
        error.retry_after = parse_retry_after(response.header("retry-after"));
    }
    return error;
}

Error fault_of_body(const ApiCall& call, const std::string& tunnel, const HttpResponse& response,
                    const Error& why) {
    Error error;
    error.fault = call.writes ? Fault::ambiguous : Fault::invalid;
    error.text = what_came(call, tunnel, response, why.text);
    return error;
}

}  // namespace keyturn
