#pragma once

#include "base/result.hpp"
#include "http/http_client.hpp"
#include "shared_object/shared_object.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// Which bucket an error is about, in the words of the policy.
struct BucketPlace {
    std::string bucket;
    std::string endpoint;
    std::string region;
};

/// The text of the first element `name` of an XML document, if it has 1 to 36 characters of
/// [A-Za-z0-9.]; else empty. Nothing else of an answer ever gets into a text. Pure.
[[nodiscard]] std::string xml_word(std::string_view xml, std::string_view name);

/// The ETag without its quotes; nothing if it is none, or a weak one, which names no content.
[[nodiscard]] std::optional<ObjectVersion> version_in(std::string_view etag);

/// The two ways in which servers want an ETag in If-Match. RFC 9110 knows only quotes. Ceph 16
/// compares with what is in them.
enum class EtagForm { quoted, bare };

[[nodiscard]] std::string etag_text(const ObjectVersion& version, EtagForm form);

/// What a request of the bucket does.
enum class BucketCall { read, create, replace, remove, ask_versioning };

/// The error of an answer that is no success. Pure. `conflict` only for what a condition caused,
/// `missing` only for a bucket that does not exist. 304 and the 404 of an absent object are
/// successes of a read, and no errors.
[[nodiscard]] Error fault_of_bucket(BucketCall call, const BucketPlace& place,
                                    const HttpResponse& response);

/// The error of a request without an answer. `ambiguous` only for a write that was sent.
[[nodiscard]] Error fault_without_bucket(BucketCall call, const BucketPlace& place, Error error);

/// True for the answer of an object that does not exist, in a bucket that does.
[[nodiscard]] bool says_absent(const HttpResponse& response);

}  // namespace keyturn
