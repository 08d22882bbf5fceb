#include "cloudflare/answer_faults.hpp"

#include "cloudflare/answer_headers.hpp"
#include "cloudflare/answer_kinds.hpp"
#include "cloudflare/messages.hpp"
#include "cloudflare/safe_text.hpp"

#include <fmt/format.h>

namespace keyturn {

namespace {

constexpr std::size_t ray_size_max = 40;

/// "PATCH tunnel_secret of tunnel f70ff985-...: HTTP 403, 10000 "..." (cf-ray 8f-DFW): REMEDY".
Error fault_for(const ApiCall& call, const std::string& tunnel, const HttpResponse& response,
                const ApiErrors& errors) {
    const AnswerKind kind = kind_of_answer(response.status, errors);
    const std::string ray = safe_text(response.header("cf-ray"), ray_size_max);
    return {fault_of(kind), fmt::format("{} of tunnel {}: HTTP {}{}{}{}: {}", call.name,
                                        safe_text(tunnel, ray_size_max), response.status,
                                        errors.text.empty() ? "" : ", ", errors.text,
                                        ray.empty() ? "" : fmt::format(" (cf-ray {})", ray),
                                        remedy_of(kind, call.needs_write))};
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
    Error error = fault_for(call, tunnel, response, parse_errors(response.body.reveal()));
    if (call.writes && error.fault == Fault::unreachable) error.fault = Fault::ambiguous;
    if (passes_by_itself(error.fault)) {
        error.retry_after = parse_retry_after(response.header("retry-after"));
    }
    return error;
}

Error fault_of_body(const ApiCall& call, const std::string& tunnel, const HttpResponse& response,
                    const Error& why) {
    ApiErrors errors = parse_errors(response.body.reveal());
    errors.text = why.text;
    Error error = fault_for(call, tunnel, response, errors);
    error.fault = call.writes ? Fault::ambiguous : Fault::invalid;
    return error;
}

}  // namespace keyturn
