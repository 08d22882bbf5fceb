#include "cloudflared/connectors.hpp"

#include "http/http_client.hpp"
#include "integration/peers/private_bus.hpp"
#include "integration/sockets/listeners.hpp"
#include "sockets/socket_owner.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sys/resource.h>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* ready_body =
    R"({"status":200,"readyConnections":4,"connectorId":"9f0a2c3e-1111-4222-8333-abcdef012345"})";
constexpr const char* tunnel_body = R"({"tunnelID":"f70ff985-a4ef-4643-bbbc-4a0ed4fc8415",)"
                                    R"("connectorID":"9f0a2c3e-1111-4222-8333-abcdef012345"})";

/// Answers by "HOST:PORT TARGET"; whatever is not in there is refused, as by a closed port.
class ScriptedHttp final : public HttpClient {
  public:
    Task<Result<HttpResponse>> send(HttpOrigin origin, HttpRequest request) override {
        EXPECT_FALSE(origin.tls);
        EXPECT_EQ(request.method, "GET");
        asked.push_back(origin.host + ":" + origin.port + " " + request.target);
        const std::string question = asked.back();
        if (silent.contains(question)) {
            boost::asio::steady_timer never(co_await boost::asio::this_coro::executor,
                                            boost::asio::steady_timer::time_point::max());
            boost::system::error_code ignored;
            auto token = boost::asio::redirect_error(boost::asio::use_awaitable, ignored);
            co_await never.async_wait(token);
            co_return Error{Fault::cancelled, "scripted"};
        }
        if (const auto fault = faults.find(question); fault != faults.end())
            co_return Error{fault->second, "scripted"};
        const auto answer = answers.find(question);
        if (answer == answers.end()) co_return Error{Fault::unreachable, "connection refused"};
        HttpResponse response;
        response.status = answer->second.first;
        response.body = Secret::copy_of(answer->second.second);
        co_return response;
    }
    void close_idle() override {}

    std::map<std::string, std::pair<int, std::string>> answers;
    std::map<std::string, Fault> faults;
    std::set<std::string> silent;  ///< Never answered.
    std::vector<std::string> asked;
};

class ConnectorsTest : public ::testing::Test {
  protected:
    static std::uint64_t own_control_group(std::uint16_t port) {
        const auto socket = listener_at({"127.0.0.1", std::to_string(port)});
        if (socket && *socket && (*socket)->control_group) return *(*socket)->control_group;
        ADD_FAILURE() << "the kernel does not list our own socket with its control group";
        return 0;
    }

    Result<Readiness> readiness(std::uint64_t control_group) {
        UnitState unit;
        unit.name = "web@1.service";
        unit.control_group_id = control_group;
        return run(context_, connectors_->readiness(unit));
    }

    void serve(const Listener& listener, int status, const char* ready,
               const char* tunnel = tunnel_body) {
        http_.answers[listener.at("/ready")] = {status, ready};
        http_.answers[listener.at("/diag/tunnel")] = {200, tunnel};
    }

    boost::asio::io_context context_{1};
    ScriptedHttp http_;
    std::unique_ptr<Connectors> connectors_ = make_connectors(http_);
};

TEST_F(ConnectorsTest, FindsTheServerOfTheControlGroupAndAsksIt) {
    const Listener listener;
    serve(listener, 200, ready_body);
    const Result<Readiness> readiness = this->readiness(own_control_group(listener.port));
    ASSERT_TRUE(readiness) << readiness.error().text;
    Readiness expected;
    expected.connector_id = "9f0a2c3e-1111-4222-8333-abcdef012345";
    expected.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    expected.connections = 4;
    expected.serving = true;
    EXPECT_EQ(*readiness, expected);
    EXPECT_EQ(http_.asked.back(), listener.at("/diag/tunnel"));
}

TEST_F(ConnectorsTest, ServiceUnavailableIsAnAnswer) {
    const Listener listener;
    serve(listener, 503, R"({"status":503,"readyConnections":0})");
    const Result<Readiness> readiness = this->readiness(own_control_group(listener.port));
    ASSERT_TRUE(readiness) << readiness.error().text;
    EXPECT_FALSE(readiness->serving);
}

TEST_F(ConnectorsTest, OtherServersOfTheUnitAreSkipped) {
    const std::array<Listener, 3> listeners;
    serve(listeners[0], 404, "page not found");
    serve(listeners[1], 200, "ok");
    serve(listeners[2], 200, ready_body);
    http_.faults[listeners[1].at("/ready")] = Fault::invalid;
    EXPECT_TRUE(readiness(own_control_group(listeners[0].port)));
}

TEST_F(ConnectorsTest, SilentServersDoNotHideTheOneThatAnswers) {
    constexpr std::size_t count = 9;
    std::vector<std::unique_ptr<Listener>> listeners;
    for (std::size_t index = 0; index < count; ++index)
        listeners.push_back(std::make_unique<Listener>());
    std::ranges::sort(listeners, {}, [](const auto& listener) { return listener->port; });
    for (std::size_t index = 0; index + 1 < count; ++index)
        http_.silent.insert(listeners[index]->at("/ready"));
    serve(*listeners.back(), 200, ready_body);
    const std::uint64_t group = own_control_group(listeners.back()->port);
    EXPECT_TRUE(readiness(group));
    // And the one that has answered is asked alone.
    http_.asked.clear();
    EXPECT_TRUE(readiness(group));
    EXPECT_THAT(http_.asked, ElementsAre(listeners.back()->at("/ready")));
}

TEST_F(ConnectorsTest, ServerBeyondTheLimitIsFoundByTheNextLooks) {
    constexpr std::size_t count = 100;
    std::vector<std::unique_ptr<Listener>> listeners;
    for (std::size_t index = 0; index < count; ++index)
        listeners.push_back(std::make_unique<Listener>());
    std::ranges::sort(listeners, {}, [](const auto& listener) { return listener->port; });
    serve(*listeners.back(), 200, ready_body);
    const std::uint64_t group = own_control_group(listeners.back()->port);
    int looks = 1;
    while (looks < 10 && !readiness(group)) {
        ++looks;
        EXPECT_LE(http_.asked.size(), 32U);
        http_.asked.clear();
    }
    EXPECT_EQ(looks, 4);
}

TEST_F(ConnectorsTest, ServerThatMovedIsFoundAgain) {
    const Listener before;
    serve(before, 200, ready_body);
    const std::uint64_t group = own_control_group(before.port);
    EXPECT_TRUE(readiness(group));
    before.close();
    const Listener after;
    serve(after, 200, ready_body);
    EXPECT_TRUE(readiness(group));
    EXPECT_EQ(http_.asked.back(), after.at("/ready"));
}

TEST_F(ConnectorsTest, AddressThatAnotherUnitTookOverIsNotAskedAgain) {
    const Listener listener;
    serve(listener, 200, ready_body);
    const std::uint64_t group = own_control_group(listener.port);
    EXPECT_TRUE(readiness(group));
    // The same unit has another control group now, and its old port belongs to a stranger.
    http_.asked.clear();
    EXPECT_FALSE(readiness(UINT64_MAX));
    EXPECT_THAT(http_.asked, ElementsAre());
}

TEST_F(ConnectorsTest, TunnelIsAskedForOnceForEachProcess) {
    const Listener listener;
    serve(listener, 200, ready_body);
    const std::uint64_t group = own_control_group(listener.port);
    const auto diagnoses = [&] {
        return std::ranges::count(http_.asked, listener.at("/diag/tunnel"));
    };
    for (int look = 0; look < 5; ++look) {
        const Result<Readiness> readiness = this->readiness(group);
        ASSERT_TRUE(readiness);
        EXPECT_EQ(readiness->tunnel, "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415");
    }
    EXPECT_EQ(diagnoses(), 1);
    // Another process: another connector id, another question.
    serve(listener, 200,
          R"({"status":200,"readyConnections":4,)"
          R"("connectorId":"00000000-0000-4000-8000-000000000000"})",
          R"({"tunnelID":"aaaaaaaa-a4ef-4643-bbbc-4a0ed4fc8415",)"
          R"("connectorID":"00000000-0000-4000-8000-000000000000"})");
    EXPECT_EQ(readiness(group)->tunnel, "aaaaaaaa-a4ef-4643-bbbc-4a0ed4fc8415");
    EXPECT_EQ(diagnoses(), 2);
}

TEST_F(ConnectorsTest, SilentServerEndsTheLookInTime) {
    const Listener listener;
    http_.silent.insert(listener.at("/ready"));
    const std::uint64_t group = own_control_group(listener.port);
    const auto begin = std::chrono::steady_clock::now();
    const Result<Readiness> readiness = this->readiness(group);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1'900));
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::unreachable);
    EXPECT_THAT(readiness.error().text, HasSubstr("within 2000 ms"));
}

TEST_F(ConnectorsTest, NoDescriptorLeftIsTheReason) {
    const Listener listener;
    serve(listener, 200, ready_body);
    const std::uint64_t group = own_control_group(listener.port);
    EXPECT_TRUE(this->readiness(group));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = UniqueFd(::dup(STDIN_FILENO)).get();
    const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const Result<Readiness> readiness = this->readiness(group);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::unreachable);
    EXPECT_THAT(readiness.error().text, HasSubstr("no file descriptor is left (EMFILE)"));
    EXPECT_TRUE(this->readiness(group));
}

TEST_F(ConnectorsTest, ServerOnAnotherAddressIsAskedThere) {
    // No interface has that address; binding to it all the same is what IP_FREEBIND is for.
    const UniqueFd socket = listen_anywhere(AF_INET, "192.0.2.1", 20'241);
    http_.answers["192.0.2.1:20241 /ready"] = {200, ready_body};
    http_.answers["192.0.2.1:20241 /diag/tunnel"] = {200, tunnel_body};
    const auto listener = listener_at({"192.0.2.1", "20241"});
    ASSERT_TRUE(listener && *listener);
    const std::uint64_t group = (*listener)->control_group.value_or(0);
    EXPECT_TRUE(readiness(group));
    http_.faults["192.0.2.1:20241 /ready"] = Fault::unreachable;
    const Result<Readiness> readiness = this->readiness(group);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::unreachable);
    EXPECT_EQ(readiness.error().text, "scripted");
}

TEST_F(ConnectorsTest, ServerOnALinkLocalAddressIsNamed) {
    const Listener other;
    const UniqueFd socket = listen_anywhere(AF_INET6, "fe80::1", 20'241);
    const std::uint64_t group = own_control_group(other.port);
    other.close();
    const Result<Readiness> readiness = this->readiness(group);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::invalid);
    EXPECT_THAT(readiness.error().text, HasSubstr("[fe80::1]:20241"));
    EXPECT_THAT(readiness.error().text, HasSubstr("--metrics 127.0.0.1:PORT"));
}

Task<std::optional<std::string>> fixed_at(std::string address) {
    co_return address;
}

TEST_F(ConnectorsTest, FixedAddressIsForKernelsThatDoNotTell) {
    const Listener listener;
    serve(listener, 200, ready_body);
    int asked_for_fixed = 0;
    const auto fixed = [&](const std::string& unit) {
        EXPECT_EQ(unit, "web@1.service");
        ++asked_for_fixed;
        return fixed_at("127.0.0.1:" + std::to_string(listener.port));
    };
    connectors_ = make_connectors(http_, {fixed, {}});
    EXPECT_TRUE(readiness(own_control_group(listener.port)));
    EXPECT_EQ(asked_for_fixed, 0);
    EXPECT_EQ(readiness(UINT64_MAX).error().fault, Fault::missing);
    EXPECT_EQ(asked_for_fixed, 0);
}

/// A unit whose sockets this network namespace does not have, and whose port is published.
class PublishedConnectorsTest : public ConnectorsTest {
  protected:
    PublishedConnectorsTest() {
        connectors_ = make_connectors(http_, {{}, [this](const std::string& unit) {
                                                  EXPECT_EQ(unit, "web@1.service");
                                                  return fixed_at(address_);
                                              }});
    }

    Result<Readiness> readiness_elsewhere() { return readiness(UINT64_MAX); }

    std::string address_;
};

TEST_F(PublishedConnectorsTest, ListenerOfAnotherUserIsNotBelieved) {
    const Listener listener;
    listener.give_away();
    serve(listener, 200, ready_body);
    address_ = "127.0.0.1:" + std::to_string(listener.port);
    const Result<Readiness> readiness = readiness_elsewhere();
    ASSERT_FALSE(readiness);
    EXPECT_THAT(readiness.error().text, HasSubstr("root did not"));
    EXPECT_THAT(http_.asked, ElementsAre());
}

TEST_F(PublishedConnectorsTest, AddressIsAskedIfNothingListensInTheUnit) {
    own_sockets_as_root();
    const Listener listener;
    serve(listener, 200, ready_body);
    address_ = "127.0.0.1:" + std::to_string(listener.port);
    const Result<Readiness> readiness = readiness_elsewhere();
    ASSERT_TRUE(readiness) << readiness.error().text;
    // It is not taken for a socket of the unit the next time.
    address_ = "127.0.0.1:1";
    EXPECT_FALSE(readiness_elsewhere());
}

TEST_F(PublishedConnectorsTest, AddressIsNotAskedIfTheUnitListensHere) {
    const Listener listener;
    serve(listener, 503, R"({"status":503,"readyConnections":0})");
    address_ = "127.0.0.1:1";
    http_.answers["127.0.0.1:1 /ready"] = {200, ready_body};
    const Result<Readiness> readiness = this->readiness(own_control_group(listener.port));
    ASSERT_TRUE(readiness);
    EXPECT_FALSE(readiness->serving);
    EXPECT_THAT(http_.asked, ::testing::Not(::testing::Contains("127.0.0.1:1 /ready")));
}

TEST_F(PublishedConnectorsTest, OtherServerAndClosedPortNameTheKey) {
    own_sockets_as_root();
    const Listener listener;
    address_ = "127.0.0.1:" + std::to_string(listener.port);
    Result<Readiness> readiness = readiness_elsewhere();
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::unreachable);
    EXPECT_EQ(readiness.error().text,
              address_ + " (`metrics_address:` of the policy): connection refused");
    serve(listener, 404, "page not found");
    readiness = readiness_elsewhere();
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::invalid);
    EXPECT_THAT(readiness.error().text, HasSubstr("does not answer like cloudflared"));
}

TEST_F(ConnectorsTest, NothingOfThatGroupListens) {
    const Listener listener;
    serve(listener, 200, ready_body);
    const Result<Readiness> readiness = this->readiness(UINT64_MAX);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::missing);
    EXPECT_THAT(readiness.error().text, HasSubstr("nothing listens in the unit's control group"));
    EXPECT_THAT(readiness.error().text, HasSubstr("`metrics_address:`"));
    EXPECT_THAT(http_.asked, ElementsAre());
}

TEST_F(ConnectorsTest, UnitWithoutAProcessHasNone) {
    const Result<Readiness> readiness = this->readiness(0);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::missing);
    EXPECT_EQ(readiness.error().text, "the unit has no process");
}

TEST_F(ConnectorsTest, ServerThatDoesNotAnswerIsUnreachable) {
    const Listener listener;
    http_.faults[listener.at("/ready")] = Fault::ambiguous;
    const Result<Readiness> readiness = this->readiness(own_control_group(listener.port));
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::unreachable);
}

TEST_F(ConnectorsTest, CancellationIsPassedOn) {
    const Listener listener;
    serve(listener, 200, ready_body);
    const std::uint64_t group = own_control_group(listener.port);
    http_.faults[listener.at("/diag/tunnel")] = Fault::cancelled;
    const Result<Readiness> readiness = this->readiness(group);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::cancelled);
}

TEST_F(ConnectorsTest, OldCloudflaredTellsNoTunnel) {
    const Listener listener;
    serve(listener, 200, ready_body);
    http_.answers[listener.at("/diag/tunnel")] = {404, "404 page not found"};
    const Result<Readiness> readiness = this->readiness(own_control_group(listener.port));
    ASSERT_TRUE(readiness);
    EXPECT_EQ(readiness->tunnel, "");
}

TEST_F(ConnectorsTest, RestartBetweenTheTwoQuestionsIsNoAnswer) {
    const Listener listener;
    serve(listener, 200, ready_body,
          R"({"tunnelID":"f70ff985-a4ef-4643-bbbc-4a0ed4fc8415",)"
          R"("connectorID":"00000000-0000-4000-8000-000000000000"})");
    const Result<Readiness> readiness = this->readiness(own_control_group(listener.port));
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::unreachable);
    EXPECT_THAT(readiness.error().text, HasSubstr("restarted while"));
}

}  // namespace
}  // namespace keyturn::testing
