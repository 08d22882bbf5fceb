// The stores in which the hosts of a fleet share an object.

#include "credential/credential_source.hpp"
#include "http/http_client.hpp"
#include "keyturnd/fleets.hpp"
#include "shared_object/bucket.hpp"
#include "shared_object/shared_file.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// A store with the client that it sends with.
struct StoreAndClient {
    std::unique_ptr<HttpClient> http;
    std::unique_ptr<SharedObject> object;
};

std::shared_ptr<SharedObject> together(StoreAndClient both) {
    const auto kept = std::make_shared<StoreAndClient>(std::move(both));
    return {kept, kept->object.get()};
}

Result<std::string_view> find_text(std::string_view text) {
    if (text.empty()) return Error{Fault::invalid, "is empty"};
    return text;
}

constexpr CredentialContent store_content{"the credential of the store",
                                          "ACCESS_KEY_ID SECRET_ACCESS_KEY", find_text};

std::string key_of(const TunnelPolicy& policy) {
    return fmt::format("{}/v1/{}/{}", policy.coordinator->prefix, policy.account, policy.tunnel);
}

}  // namespace

Result<std::shared_ptr<SharedObject>> Fleets::object_of(const TunnelPolicy& policy) {
    const Coordinator& coordinator = *policy.coordinator;
    StoreAndClient both;
    HttpClientOptions client;
    client.ca_file = coordinator.ca_file;
    both.http = make_http_client(executor_, std::move(client));
    if (coordinator.kind == CoordinatorKind::file) {
        both.object = make_shared_file(clock_, coordinator.path);
        return together(std::move(both));
    }
    BucketOptions bucket;
    bucket.endpoint = coordinator.endpoint;
    bucket.bucket = coordinator.bucket;
    bucket.region = coordinator.region;
    bucket.key = key_of(policy);
    bucket.read_credential = [source = coordinator.credential, directory = credentials_directory_] {
        return read_credential_source(source, directory, store_content);
    };
    both.object = make_bucket(*both.http, clock_, std::move(bucket));
    return together(std::move(both));
}

}  // namespace keyturn
