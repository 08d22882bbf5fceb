#include "integration/peers/certificates.hpp"
#include "integration/shared_object/etcd_cluster.hpp"

#include <csignal>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The client of etcd and a real cluster, which loses members.
class EtcdFaults : public StoreTest {
  protected:
    void run_cluster(std::size_t members) {
        cluster.emplace(members);
        client = cluster->client();
        options.endpoints = cluster->endpoints();
        options.key = "keyturn/v1/account/tunnel";
    }

    SharedObject& etcd() {
        if (!etcd_) {
            http_ = make_http_client(context.get_executor(), client);
            etcd_ = make_etcd(*http_, *clock, options);
        }
        return *etcd_;
    }

    /// The next client has the options of that moment.
    void leave() { etcd_.reset(); }

    Result<ObjectReading> read(const ObjectVersion& known = "") {
        return finished(etcd().read(known));
    }
    Result<ObjectVersion> swap(const ObjectVersion& from, const std::string& text) {
        return finished(etcd().swap(from, text));
    }

    /// A cluster elects a leader, and a member opens its port, in its own time.
    Result<ObjectReading> read_when_possible() {
        const auto end = std::chrono::steady_clock::now() + 60s;
        auto reading = read();
        while (!reading && std::chrono::steady_clock::now() < end) reading = read();
        return reading;
    }

    template <class T>
    static void expect_fault(const Result<T>& result, Fault fault, const std::string& text) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().fault, fault) << result.error().text;
        EXPECT_THAT(result.error().text, HasSubstr(text));
        EXPECT_THAT(result.error().text, Not(HasSubstr("hunter2")));
    }

    std::optional<EtcdCluster> cluster;
    HttpClientOptions client;
    EtcdOptions options;

  private:
    std::unique_ptr<HttpClient> http_;
    std::unique_ptr<SharedObject> etcd_;
};

TEST_F(EtcdFaults, AClusterThatLosesAMemberGoesOn) {
    run_cluster(3);
    auto version = swap("", "one").value();
    for (std::size_t member = 0; member < 3; ++member) {
        cluster->kill(member);
        const auto reading = read_when_possible();
        ASSERT_TRUE(reading) << reading.error().text;
        EXPECT_EQ(reading->version, version);
        Result<ObjectVersion> swapped = swap(version, "two");
        if (!swapped) {  // While a leader was elected.
            EXPECT_EQ(swapped.error().fault, Fault::ambiguous) << swapped.error().text;
            swapped = read_when_possible().value().version;
        }
        version = *swapped;
        cluster->start(member);
    }
}

TEST_F(EtcdFaults, AClusterWithoutAQuorumIsUnreachableAndWritesAreAmbiguous) {
    run_cluster(3);
    const auto version = swap("", "one").value();
    cluster->kill(1);
    cluster->kill(2);
    expect_fault(read(), Fault::unreachable, "cannot read the object in etcd");
    options.deadline = 1s;
    leave();
    expect_fault(swap(version, "two"), Fault::ambiguous, "no answer within 1000 ms");
    cluster->start(1);
    cluster->start(2);
    const auto reading = read_when_possible();
    ASSERT_TRUE(reading) << reading.error().text;
    EXPECT_THAT(reading->text, testing::AnyOf("one", "two"));
    EXPECT_TRUE(swap(reading->version, "three"));
}

TEST_F(EtcdFaults, AMemberThatStandsStillIsLeft) {
    run_cluster(3);
    const auto version = swap("", "one").value();
    options.deadline = 1s;
    leave();
    cluster->send(0, SIGSTOP);
    expect_fault(swap(version, "two"), Fault::ambiguous, "no answer within 1000 ms");
    const auto reading = read_when_possible();
    ASSERT_TRUE(reading) << reading.error().text;
    cluster->send(0, SIGCONT);
}

TEST_F(EtcdFaults, ACompactionChangesNothing) {
    run_cluster(1);
    const auto first = swap("", "one").value();
    const auto second = swap(first, "two").value();
    EXPECT_NE(cluster->call("/v3/kv/compaction", "{\"revision\":\"" + second + "\"}"), "");
    EXPECT_EQ(read(first).value(), (ObjectReading{Found::present, "two", second}));
    EXPECT_EQ(read(second).value().found, Found::unchanged);
    expect_fault(swap(first, "late"), Fault::conflict, "another host was faster");
    EXPECT_TRUE(swap(second, "three"));
}

TEST_F(EtcdFaults, AUserLogsInAndAgainAfterARestart) {
    run_cluster(1);
    cluster->enable_authentication();
    expect_fault(read(), Fault::denied, "set `user` and `password`");
    options.user = "keyturn";
    options.read_password = [] { return Result<Secret>(Secret::copy_of("hunter2")); };
    leave();
    const auto checked = finished(etcd().check_conditions("host-a"));
    ASSERT_TRUE(checked) << checked.error().text;
    const auto version = swap("", "one").value();
    cluster->kill(0);
    cluster->start(0);
    EXPECT_TRUE(read_when_possible());
    EXPECT_TRUE(swap(version, "two"));
    options.key = "other/v1/account/tunnel";
    leave();
    expect_fault(read(), Fault::denied, "readwrite on the prefix");
    expect_fault(swap("", "one"), Fault::denied, "readwrite on the prefix");
    options.read_password = [] { return Result<Secret>(Secret::copy_of("hunter22")); };
    leave();
    expect_fault(read(), Fault::denied, "the user or the password is wrong");
}

TEST_F(EtcdFaults, ACertificateWithACommonNameIsNamedWhereThereAreUsers) {
    run_cluster(1);
    client.cert_file = cluster->file("etcd.pem");
    client.key_file = cluster->file("etcd.key");
    EXPECT_TRUE(read());
    cluster->enable_authentication();
    expect_fault(read(), Fault::denied, "without it (an empty subject) for `cert_file`");
}

TEST_F(EtcdFaults, AUserWithoutAuthenticationIsToldSo) {
    run_cluster(1);
    options.user = "keyturn";
    options.read_password = [] { return Result<Secret>(Secret::copy_of("hunter2")); };
    expect_fault(read(), Fault::denied, "etcdctl auth enable");
}

TEST_F(EtcdFaults, AClientWithoutACertificateIsRefused) {
    run_cluster(1);
    client.cert_file.clear();
    client.key_file.clear();
    expect_fault(read(), Fault::unreachable, "certificate");
    expect_fault(swap("", "one"), Fault::ambiguous, "certificate");
}

}  // namespace
}  // namespace keyturn
