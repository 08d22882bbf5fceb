// What a bucket or etcd answers about a shared object: a line each for the status, Retry-After and
// the ETag, then the body.
#include "fuzz/response.hpp"
#include "http/retry_after.hpp"
#include "shared_object/bucket_answer.hpp"
#include "shared_object/etcd_messages.hpp"

using namespace keyturn;

namespace {

const BucketPlace place{"fleet", "https://s3.example.com", "auto"};
const std::string endpoint = "https://10.0.0.1:2379";

void check_text(const Error& error) {
    invariant(fuzz::is_printable_ascii(error.text), "a fault is fit for the journal");
    invariant(error.text.size() < 2000, "a fault is bounded");
    invariant(!fuzz::tells_secret(error.text), "a fault tells no secret");
}

void check_fault(const Error& error, bool writes) {
    check_text(error);
    invariant(error.fault != Fault::cancelled, "no answer cancels a call");
    invariant(writes || error.fault != Fault::ambiguous, "a read has no effect to be unsure of");
    invariant(!writes || error.fault != Fault::unreachable, "a write that was answered was sent");
    invariant(error.retry_after.count() >= 0 && error.retry_after <= retry_after_max,
              "a server cannot make us wait for long");
}

void check_bucket(const HttpResponse& response) {
    for (const BucketCall call : {BucketCall::read, BucketCall::create, BucketCall::replace,
                                  BucketCall::remove, BucketCall::ask_versioning}) {
        const bool conditional = call == BucketCall::create || call == BucketCall::replace;
        const Error error = fault_of_bucket(call, place, response);
        check_fault(error, conditional || call == BucketCall::remove);
        invariant(conditional || error.fault != Fault::conflict, "only a condition can fail");
    }
    const auto version = version_in(response.header("etag"));
    if (!version) return;
    invariant(version_in(etag_text(*version, EtagForm::quoted)) == version,
              "an ETag is sent as it came");
    invariant(version_in(etag_text(*version, EtagForm::bare)) == version,
              "an ETag is the same without quotes");
}

void check_etcd(const HttpResponse& response) {
    const std::string_view body = response.body.reveal();
    for (const EtcdCall call :
         {EtcdCall::read, EtcdCall::swap, EtcdCall::remove, EtcdCall::authenticate}) {
        const bool writes = call == EtcdCall::swap || call == EtcdCall::remove;
        const EtcdFailure failure = failure_of_etcd(call, endpoint, response);
        check_fault(failure.error, writes);
        invariant(!writes || !failure.another_may_help,
                  "a write that was answered is not repeated");
    }
    for (const auto* known : {"", "7"}) {
        const auto reading = read_answer(body, known);
        if (!reading) check_text(reading.error());
        if (!reading) continue;
        const bool absent = reading->found == ObjectReading::Found::absent;
        invariant(reading->version.empty() == absent, "what exists has a version");
        invariant(reading->found != ObjectReading::Found::unchanged || reading->version == known,
                  "unchanged is what is known");
        invariant(revision_of(reading->version).has_value(), "a version can be asked for");
    }
    const auto version = swap_answer(body);
    if (version) invariant(revision_of(*version).has_value(), "a version can be asked for");
    if (!version) check_text(version.error());
    const auto login = authenticate_answer(body);
    if (!login) check_text(login.error());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input = fuzz::with_secrets(fuzz::text_of(data, size));
    const auto response = fuzz::response_of(input, "etag");
    if (!response) return 0;
    check_bucket(*response);
    check_etcd(*response);
    return 0;
}
