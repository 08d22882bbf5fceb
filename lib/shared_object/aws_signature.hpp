#pragma once

#include "base/secret.hpp"
#include "time/moment.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// What S3 and alike know a client by.
struct AwsCredential {
    std::string key_id;  ///< Not a secret: each request shows it.
    Secret secret_key;
};

/// A request as it is signed.
struct AwsRequest {
    std::string_view method;
    std::string_view path;   ///< Percent-encoded, as it is sent.
    std::string_view query;  ///< Sorted and encoded: "versioning=". Empty for none.
    /// Names in lower case, values without blanks around them. `host` has to be among them.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string_view body;
};

/// The headers that sign a request, to be sent with those that were signed.
struct AwsSignature {
    std::string date;            ///< x-amz-date
    std::string content_sha256;  ///< x-amz-content-sha256
    std::string authorization;   ///< Worth nothing after 15 minutes, and for no other request.
};

/// Signature Version 4 for the service "s3", of the whole body and of all headers that are given.
/// Pure.
[[nodiscard]] AwsSignature sign_for_s3(const AwsRequest& request, const AwsCredential& credential,
                                       std::string_view region, WallTime now);

}  // namespace keyturn
