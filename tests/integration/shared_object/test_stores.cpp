#include "integration/shared_object/test_stores.hpp"

#include "fakes/sandbox.hpp"
#include "integration/peers/certificates.hpp"
#include "integration/shared_object/etcd_cluster.hpp"
#include "integration/shared_object/s3_model.hpp"
#include "shared_object/bucket.hpp"
#include "shared_object/shared_file.hpp"

#include <cstdlib>
#include <optional>
#include <unistd.h>

namespace keyturn {

namespace {

class FileStore final : public TestStore {
  public:
    OpenObject open(boost::asio::io_context&, Clock& clock, const std::string& name) override {
        return {nullptr, make_shared_file(clock, sandbox_ / name)};
    }

  private:
    testing_files::Sandbox sandbox_;
};

class BucketStore final : public TestStore {
  public:
    BucketStore() {
        const char* const real = std::getenv("KEYTURN_TEST_BUCKET");
        if (real == nullptr) model_.emplace();
        endpoint_ = real == nullptr ? model_->endpoint() : real;
    }

    OpenObject open(boost::asio::io_context& context, Clock& clock,
                    const std::string& name) override {
        HttpClientOptions options;
        options.ca_file = test_authority_file();
        OpenObject object;
        object.http = make_http_client(context.get_executor(), std::move(options));
        const std::string key = "keyturn/v1/" + place_ + "/" + name;
        object.object = make_bucket(*object.http, clock, s3_options(endpoint_, key));
        return object;
    }

  private:
    /// A real server still has the objects of earlier tests.
    static std::string new_place() {
        static int number = 0;
        return std::to_string(::getpid()) + "-" + std::to_string(++number);
    }

    std::string place_ = new_place();
    std::optional<S3Model> model_;
    std::string endpoint_;
};

class EtcdStore final : public TestStore {
  public:
    OpenObject open(boost::asio::io_context& context, Clock& clock,
                    const std::string& name) override {
        EtcdOptions options;
        options.endpoints = cluster_.endpoints();
        options.key = "keyturn/v1/" + name;
        OpenObject object;
        object.http = make_http_client(context.get_executor(), cluster_.client());
        object.object = make_etcd(*object.http, clock, std::move(options));
        return object;
    }

  private:
    EtcdCluster cluster_{1};
};

}  // namespace

std::unique_ptr<TestStore> make_test_store(StoreKind kind) {
    if (kind == StoreKind::file) return std::make_unique<FileStore>();
    if (kind == StoreKind::etcd) return std::make_unique<EtcdStore>();
    return std::make_unique<BucketStore>();
}

}  // namespace keyturn
