#pragma once

#include "integration/shared_object/store_test.hpp"

#include <memory>
#include <ostream>
#include <string>

namespace keyturn {

/// A store of one kind, which lives as long as the test.
class TestStore {
  public:
    virtual ~TestStore() = default;

    /// The object as one more host sees it.
    [[nodiscard]] virtual OpenObject open(boost::asio::io_context& context, Clock& clock,
                                          const std::string& name) = 0;
};

/// `bucket` is the model of tests/sandbox/s3, or the server that KEYTURN_TEST_BUCKET names
/// ("http://127.0.0.1:7480"), with the bucket `fleet` and the model's credential. `etcd` is a real
/// one.
enum class StoreKind { file, bucket, etcd };

inline void PrintTo(StoreKind kind, std::ostream* stream) {
    *stream << (kind == StoreKind::file ? "file" : kind == StoreKind::bucket ? "bucket" : "etcd");
}

[[nodiscard]] std::unique_ptr<TestStore> make_test_store(StoreKind kind);

}  // namespace keyturn
