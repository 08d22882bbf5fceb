#pragma once

#include "http/http_client.hpp"
#include "shared_object/shared_object.hpp"
#include "shared_object/store_credential.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace keyturn {

class Clock;

struct EtcdOptions {
    std::vector<std::string> endpoints;  ///< "https://10.0.0.1:2379"; of one cluster.
    std::string key;
    std::string user;                   ///< Empty for a cluster without authentication.
    ReadStoreCredential read_password;  ///< Only with a user.
    /// Of one request. A read tries each endpoint once.
    std::chrono::milliseconds deadline{10'000};
};

/// A shared object in etcd, by its JSON gateway (v3). Needs no lease, lock or election: the
/// revision of the key is its version. A client certificate belongs to `http`, and only opens the
/// connection: the gateway ignores the name in it. `http` and `clock` must outlive it.
[[nodiscard]] std::unique_ptr<SharedObject> make_etcd(HttpClient& http, Clock& clock,
                                                      EtcdOptions options);

}  // namespace keyturn
