// What an answer of Cloudflare's API means that is no success: a line each for the status,
// Retry-After and cf-ray, then the body.
#include "cloudflare/answer_faults.hpp"
#include "cloudflare/answer_headers.hpp"
#include "fuzz/response.hpp"

using namespace keyturn;

namespace {

constexpr ApiCall read_call{"GET token", "GET", "/token", false, true};
constexpr ApiCall write_call{"PATCH tunnel_secret", "PATCH", "", true, true};

void check_text(const Error& error) {
    invariant(fuzz::is_printable_ascii(error.text), "a fault is fit for the journal");
    invariant(error.text.size() < 2000, "a fault is bounded");
    invariant(!fuzz::tells_secret(error.text), "a fault tells no secret");
}

void check_fault(const ApiCall& call, const HttpResponse& response) {
    const Error error = fault_of_answer(call, "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415", response);
    check_text(error);
    invariant(error.text.starts_with(call.name), "a fault names its call");
    invariant(error.text.find(std::to_string(response.status)) != std::string::npos,
              "a fault names its status");
    invariant(error.fault != Fault::cancelled, "no answer cancels a call");
    invariant(call.writes || error.fault != Fault::ambiguous,
              "a read has no effect to be unsure of");
    invariant(!call.writes || error.fault != Fault::unreachable,
              "a write that was answered was sent");
    invariant(error.retry_after.count() >= 0 && error.retry_after <= retry_after_max,
              "a server cannot make us wait for long");
    invariant(error.retry_after.count() == 0 || passes_by_itself(error.fault),
              "waiting is for what passes by itself");
    check_text(fault_of_body(call, "web", response, error));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input = fuzz::with_secrets(fuzz::text_of(data, size));
    const auto response = fuzz::response_of(input, "cf-ray");
    if (!response) return 0;
    check_fault(read_call, *response);
    check_fault(write_call, *response);
    return 0;
}
