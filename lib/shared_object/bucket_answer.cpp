#include "shared_object/bucket_answer.hpp"

#include "base/ascii.hpp"
#include "http/retry_after.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

// Shorter than every secret: those of S3 have 40 characters, those of R2 64.
constexpr std::size_t word_size_max = 36;
constexpr std::size_t etag_size_max = 128;

/// An answer that a retry cannot improve, with what a person has to do.
struct Remedy {
    std::string_view code;  ///< The Code element of the answer.
    Fault fault;
    std::string_view text;
};

constexpr std::array remedies{
    Remedy{"RequestTimeTooSkewed", Fault::denied,
           "the clock of this host is wrong by more than 15 minutes; set it, and run "
           "`timedatectl set-ntp true` to keep it right"},
    Remedy{"SignatureDoesNotMatch", Fault::denied,
           "the secret access key in the credential is wrong; write `ACCESS_KEY_ID "
           "SECRET_ACCESS_KEY` of this store into it"},
    Remedy{"InvalidAccessKeyId", Fault::denied,
           "the store does not know the access key id in the credential; write `ACCESS_KEY_ID "
           "SECRET_ACCESS_KEY` of this store into it"},
    Remedy{"AccessDenied", Fault::denied,
           "the credential may not do this; allow it to read, write and delete objects in this "
           "bucket"},
    Remedy{"ExpiredToken", Fault::denied, "the credential has expired; create another one"},
    Remedy{"NoSuchBucket", Fault::missing,
           "the bucket does not exist there; create it, or correct `bucket` or `endpoint`"},
    Remedy{"InvalidBucketName", Fault::invalid, "a bucket cannot have this name; correct `bucket`"},
    Remedy{"AuthorizationHeaderMalformed", Fault::invalid,
           "the region is probably another one; correct `region` (R2: auto)"},
    Remedy{"InvalidRegionName", Fault::invalid, "correct `region` (R2: auto)"},
    Remedy{"PermanentRedirect", Fault::invalid,
           "the bucket is in another region; correct `endpoint` and `region`"},
    Remedy{"TemporaryRedirect", Fault::invalid,
           "the bucket is in another region; correct `endpoint` and `region`"},
    Remedy{"InvalidArgument", Fault::invalid,
           "this store cannot do it, or the access key id in the credential is of another store"},
    Remedy{"NotImplemented", Fault::invalid, "this store cannot do it; use another one"},
};

bool writes(BucketCall call) {
    return call == BucketCall::create || call == BucketCall::replace || call == BucketCall::remove;
}

std::string_view words_of(BucketCall call) {
    switch (call) {
        case BucketCall::read: return "read the object";
        case BucketCall::create: return "create the object";
        case BucketCall::replace: return "replace the object";
        case BucketCall::remove: return "delete the object";
        case BucketCall::ask_versioning: break;
    }
    return "ask for the versioning";
}

std::string context_of(BucketCall call, const BucketPlace& place) {
    return fmt::format("cannot {} in bucket {} at {}", words_of(call), place.bucket,
                       place.endpoint);
}

/// "HTTP 403, AccessDenied"
std::string seen_in(const HttpResponse& response, const std::string& code) {
    return code.empty() ? fmt::format("HTTP {}", response.status)
                        : fmt::format("HTTP {}, {}", response.status, code);
}

bool is_condition(BucketCall call, const HttpResponse& response, const std::string& code) {
    if (call != BucketCall::create && call != BucketCall::replace) return false;
    if (response.status == 412 || response.status == 409) return true;
    // AWS, where an object that was to be replaced does not exist.
    return response.status == 404 && call == BucketCall::replace && code == "NoSuchKey";
}

/// For an answer whose code has no remedy of its own.
Remedy remedy_of_status(BucketCall call, int status, const std::string& code) {
    if (status == 401 || status == 403) {
        return {"", Fault::denied,
                "check the credential, and that it may read, write and delete objects in this "
                "bucket"};
    }
    if (status == 404) {
        return {"", Fault::invalid, "this is probably no S3 API; correct `endpoint`"};
    }
    if (status >= 300 && status < 400) {
        return {"", Fault::invalid, "keyturn follows no redirect; correct `endpoint` and `region`"};
    }
    if ((status >= 500 && status != 501) || status == 408 || code == "RequestTimeout") {
        return {"", writes(call) ? Fault::ambiguous : Fault::unreachable,
                "the store has a problem of its own"};
    }
    if (status >= 200 && status < 300) {
        return {"", writes(call) ? Fault::ambiguous : Fault::invalid,
                "the answer makes no sense; check `endpoint`"};
    }
    return {"", Fault::invalid, "this store cannot do it; use another one"};
}

/// The store did nothing. Any other 503 may come from something in front of the store.
bool says_later(int status, const std::string& code) {
    return status == 429 || code == "SlowDown";
}

}  // namespace

std::string xml_word(std::string_view xml, std::string_view name) {
    const std::string open = fmt::format("<{}>", name);
    const auto begin = xml.find(open);
    if (begin == std::string_view::npos) return {};
    xml.remove_prefix(begin + open.size());
    const std::string_view word = xml.substr(0, xml.find('<'));
    const auto allowed = [](char c) { return is_alphanumeric(c) || c == '.'; };
    if (word.size() == xml.size() || word.size() > word_size_max) return {};
    return std::ranges::all_of(word, allowed) ? std::string(word) : std::string();
}

std::optional<ObjectVersion> version_in(std::string_view etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
        etag = etag.substr(1, etag.size() - 2);
    }
    const auto allowed = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; };
    if (etag.empty() || etag.size() > etag_size_max || !std::ranges::all_of(etag, allowed)) {
        return std::nullopt;
    }
    return ObjectVersion(etag);
}

std::string etag_text(const ObjectVersion& version, EtagForm form) {
    return form == EtagForm::quoted ? '"' + version + '"' : version;
}

Error fault_of_bucket(BucketCall call, const BucketPlace& place, const HttpResponse& response) {
    const std::string code = xml_word(response.body.reveal(), "Code");
    const std::string seen = seen_in(response, code);
    const auto error = [&](Fault fault, std::string_view text) {
        return Error{fault, fmt::format("{}: {}: {}", context_of(call, place), seen, text)};
    };
    if (is_condition(call, response, code)) {
        return error(Fault::conflict, "another host was faster");
    }
    const auto known = std::ranges::find(remedies, code, &Remedy::code);
    if (known != remedies.end() && response.status < 500) {
        return error(known->fault, known->text);
    }
    if (says_later(response.status, code)) {
        Error later = error(Fault::busy, "the store wants fewer requests");
        later.retry_after =
            std::max(parse_retry_after(response.header("retry-after")), std::chrono::seconds{1});
        return later;
    }
    const Remedy remedy = remedy_of_status(call, response.status, code);
    Error other = error(remedy.fault, remedy.text);
    if (passes_by_itself(other.fault)) {
        other.retry_after = parse_retry_after(response.header("retry-after"));
    }
    return other;
}

Error fault_without_bucket(BucketCall call, const BucketPlace& place, Error error) {
    if (writes(call) && error.fault == Fault::invalid) error.fault = Fault::ambiguous;
    if (!writes(call) && error.fault == Fault::ambiguous) error.fault = Fault::unreachable;
    return with_context(context_of(call, place), std::move(error));
}

bool says_absent(const HttpResponse& response) {
    return response.status == 404 && xml_word(response.body.reveal(), "Code") == "NoSuchKey";
}

}  // namespace keyturn
