#include "keyturnd-fleet/stores.hpp"

#include "credential/credential_source.hpp"
#include "http/http_client.hpp"
#include "shared_object/bucket.hpp"
#include "shared_object/etcd.hpp"
#include "shared_object/shared_file.hpp"
#include "shared_object/store_credential.hpp"

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

Result<std::string_view> find_key(std::string_view text) {
    const auto found = find_bucket_credential(text);
    if (!found) return found.error();
    return text;
}

constexpr CredentialContent bucket_key{"the credential of the bucket",
                                       "ACCESS_KEY_ID SECRET_ACCESS_KEY", find_key};
constexpr CredentialContent etcd_password{"the password of etcd", "the password",
                                          find_store_password};

ReadStoreCredential reader(CredentialSource source, std::string directory,
                           const CredentialContent& content) {
    return [source = std::move(source), directory = std::move(directory), &content] {
        return read_credential_source(source, directory, content);
    };
}

std::string key_of(const TunnelPolicy& policy) {
    return fmt::format("{}/v1/{}/{}", policy.coordinator->prefix, policy.account, policy.tunnel);
}

}  // namespace

Result<std::shared_ptr<SharedObject>> store_of(const TunnelPolicy& policy,
                                               const FleetsWorld& world) {
    const Coordinator& coordinator = *policy.coordinator;
    StoreAndClient both;
    HttpClientOptions client;
    client.ca_file = coordinator.ca_file;
    client.cert_file = coordinator.cert_file;
    client.key_file = coordinator.key_file;
    both.http = make_http_client(world.executor, std::move(client));
    switch (coordinator.kind) {
        case CoordinatorKind::file:
            both.object = make_shared_file(world.clock, coordinator.path);
            return together(std::move(both));
        case CoordinatorKind::bucket: {
            BucketOptions bucket;
            bucket.endpoint = coordinator.endpoint;
            bucket.bucket = coordinator.bucket;
            bucket.region = coordinator.region;
            bucket.key = key_of(policy);
            bucket.read_credential =
                reader(coordinator.credential, world.credentials_directory, bucket_key);
            both.object = make_bucket(*both.http, world.clock, std::move(bucket));
            return together(std::move(both));
        }
        case CoordinatorKind::etcd: {
            EtcdOptions etcd;
            etcd.endpoints = coordinator.endpoints;
            etcd.key = key_of(policy);
            etcd.user = coordinator.user;
            etcd.read_password =
                reader(coordinator.password, world.credentials_directory, etcd_password);
            both.object = make_etcd(*both.http, world.clock, std::move(etcd));
            return together(std::move(both));
        }
        case CoordinatorKind::api:
        case CoordinatorKind::local: break;
    }
    return Error{Fault::invalid, "the policy names no store for the fleet", {}};
}

}  // namespace keyturn
