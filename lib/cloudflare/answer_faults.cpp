#include "cloudflare/answer_faults.hpp"

#include "cloudflare/answer_headers.hpp"
#include "cloudflare/answer_kinds.hpp"
#include "cloudflare/messages.hpp"
#include "cloudflare/safe_text.hpp"

#include <fmt/format.h>

namespace keyturn {

namespace {

constexpr std::size_t ray_size_max = 40;

Fault fault_of_kind(const ApiCall& call, AnswerKind kind) {
    switch (kind) {
        case AnswerKind::limited: return Fault::busy;
        case AnswerKind::address_refused:
        case AnswerKind::token_malformed:
        case AnswerKind::token_unknown:
        case AnswerKind::token_refused:
        case AnswerKind::blocked: return Fault::denied;
        case AnswerKind::not_found: return Fault::missing;
        case AnswerKind::conflicting: return Fault::conflict;
        case AnswerKind::failing:
        case AnswerKind::failing_in_front:
            return call.writes ? Fault::ambiguous : Fault::unreachable;
        default: return Fault::invalid;
    }
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
    const AnswerKind kind = kind_of_answer(response.status, errors);
    Error error;
    error.fault = fault_of_kind(call, kind);
    error.text = fmt::format("{}: {}", what_came(call, tunnel, response, errors.text),
                             remedy_of(kind, call.needs_write));
    if (passes_by_itself(error.fault)) {
        error.retry_after = parse_retry_after(response.header("retry-after"));
    }
    return error;
}

Error fault_of_body(const ApiCall& call, const std::string& tunnel, const HttpResponse& response,
                    const Error& why) {
    ApiErrors errors = parse_errors(response.body.reveal());
    errors.text = why.text;
    const AnswerKind kind = kind_of_answer(response.status, errors);
    Error error;
    error.fault = call.writes ? Fault::ambiguous : Fault::invalid;
    error.text = fmt::format("{}: {}", what_came(call, tunnel, response, why.text),
                             remedy_of(kind, call.needs_write));
    return error;
}

}  // namespace keyturn
