#pragma once

#include "fakes/sandbox.hpp"
#include "integration/peers/child_process.hpp"
#include "integration/shared_object/store_test.hpp"
#include "shared_object/bucket.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// The credential of tests, as a text.
inline constexpr auto s3_credential = "KEYTURNTEST secretsecretsecret";

/// Options for the bucket of tests at this endpoint.
[[nodiscard]] BucketOptions s3_options(const std::string& endpoint, const std::string& key);

/// The model of a store in tests/sandbox/s3, over TLS.
class S3Model {
  public:
    S3Model();

    [[nodiscard]] std::string endpoint() const { return "https://" + addresses_.store; }

    /// Asks the control side, and returns the body of its answer.
    std::string control(const std::string& method, const std::string& target,
                        const std::string& body = "") const;

    void set(const std::string& knobs) const { control("POST", "/knobs", knobs); }
    void fail(const std::string& fault) const { control("POST", "/faults", fault); }

  private:
    struct Addresses {
        std::string store;
        std::string control;
    };

    testing_files::Sandbox sandbox_;
    std::optional<ChildProcess> process_;
    Addresses addresses_;
};

}  // namespace keyturn
