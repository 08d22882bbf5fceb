#pragma once

#include "http/http_client.hpp"
#include "shared_object/shared_object.hpp"
#include "shared_object/store_credential.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace keyturn {

class Clock;

struct BucketOptions {
    std::string endpoint;  ///< "https://ACCOUNT.r2.cloudflarestorage.com"
    std::string bucket;
    std::string region = "auto";
    std::string key;  ///< Of the object: segments with "/" between them.
    ReadStoreCredential read_credential;
    /// Of one call. What takes longer before anything was sent is `unreachable`, if the limits of
    /// the client are shorter.
    std::chrono::milliseconds deadline{10'000};
};

/// A shared object in a bucket of R2, S3 or alike. Each call is one request, except
/// `check_conditions`, which also finds out how the store compares ETags: call it before the first
/// swap. `http` and `clock` must outlive it.
[[nodiscard]] std::unique_ptr<SharedObject> make_bucket(HttpClient& http, Clock& clock,
                                                        BucketOptions options);

/// True if the bucket keeps old versions of its objects, for `keyturnctl doctor`: old sealed
/// secrets stay in such a bucket. False for a store that has no versions.
[[nodiscard]] Task<Result<bool>> bucket_keeps_versions(HttpClient& http, Clock& clock,
                                                       BucketOptions options);

}  // namespace keyturn
