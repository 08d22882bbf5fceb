#include "cloudflared/connectors.hpp"

#include "base/unique_fd.hpp"
#include "cloudflared/listening_sockets.hpp"
#include "http/http_client.hpp"
#include "private_bus.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
        if (const auto fault = faults.find(asked.back()); fault != faults.end())
            co_return Error{fault->second, "scripted"};
        const auto answer = answers.find(asked.back());
        if (answer == answers.end()) co_return Error{Fault::unreachable, "connection refused"};
        HttpResponse response;
        response.status = answer->second.first;
        response.body = Secret::copy_of(answer->second.second);
        co_return response;
    }
    void rest() override {}

    std::map<std::string, std::pair<int, std::string>> answers;
    std::map<std::string, Fault> faults;
    std::vector<std::string> asked;
};

/// A socket that listens at a port of the kernel's choice.
class Listener {
  public:
    explicit Listener(std::uint32_t address = INADDR_LOOPBACK)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(address);
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
        EXPECT_EQ(::listen(socket_.get(), 1), 0);
        socklen_t size = sizeof name;
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
        port = ntohs(name.sin_port);
    }

    [[nodiscard]] std::string at(const char* target) const {
        return "127.0.0.1:" + std::to_string(port) + " " + target;
    }

    std::uint16_t port = 0;

  private:
    UniqueFd socket_;
};

/// Other processes of this machine may be in the same control group as this test and listen, too. A
/// network namespace of our own has no sockets but ours.
class OwnNetwork final : public ::testing::Environment {
  public:
    void SetUp() override {
        const int flags = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER;
        ASSERT_EQ(::unshare(flags), 0) << "this test needs namespaces: " << std::strerror(errno);
        const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ifreq loopback{};
        std::strcpy(loopback.ifr_name, "lo");
        loopback.ifr_flags = IFF_UP;
        ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &loopback), 0) << std::strerror(errno);
    }
};

const auto* const own_network = ::testing::AddGlobalTestEnvironment(new OwnNetwork);

class ConnectorsTest : public ::testing::Test {
  protected:
    static std::uint64_t own_control_group(std::uint16_t port) {
        const auto sockets = listening_sockets();
        EXPECT_TRUE(sockets) << sockets.error().text;
        for (const ListeningSocket& socket : *sockets) {
            if (socket.port == port && socket.control_group) return *socket.control_group;
        }
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

TEST_F(ConnectorsTest, SilentServerDoesNotHideTheOneThatAnswers) {
    const std::array<Listener, 2> listeners;
    const bool first_is_lower = listeners[0].port < listeners[1].port;
    serve(listeners[first_is_lower ? 1 : 0], 200, ready_body);
    EXPECT_TRUE(readiness(own_control_group(listeners[0].port)));
    EXPECT_EQ(http_.asked.front(), listeners[first_is_lower ? 0 : 1].at("/ready"));
}

TEST_F(ConnectorsTest, ServerOnAnotherAddressCannotBeAsked) {
    // No interface has that address; binding to it all the same is what IP_FREEBIND is for.
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on), 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(20'241);
    name.sin_addr.s_addr = htonl(0xC0000201);  // 192.0.2.1
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    ASSERT_EQ(::listen(socket.get(), 1), 0);
    const Result<Readiness> readiness = this->readiness(own_control_group(20'241));
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::invalid);
    EXPECT_THAT(readiness.error().text, HasSubstr("192.0.2.1:20241"));
    EXPECT_THAT(readiness.error().text, HasSubstr("--metrics 127.0.0.1:PORT"));
}

Task<std::optional<std::string>> fixed_at(std::string address) {
    co_return address;
}

TEST_F(ConnectorsTest, FixedAddressIsForKernelsThatDoNotTell) {
    const Listener listener;
    serve(listener, 200, ready_body);
    int asked_for_fixed = 0;
    connectors_ = make_connectors(http_, [&](const std::string& unit) {
        EXPECT_EQ(unit, "web@1.service");
        ++asked_for_fixed;
        return fixed_at("127.0.0.1:" + std::to_string(listener.port));
    });
    EXPECT_TRUE(readiness(own_control_group(listener.port)));
    EXPECT_EQ(asked_for_fixed, 0);
    EXPECT_EQ(readiness(UINT64_MAX).error().fault, Fault::missing);
    EXPECT_EQ(asked_for_fixed, 0);
}

TEST_F(ConnectorsTest, FixedAddressIsAskedWhereNoSocketIsListedWithAGroup) {
    // This network has no socket at all now, so the kernel has told nothing of groups.
    connectors_ =
        make_connectors(http_, [&](const std::string&) { return fixed_at("127.0.0.1:20300"); });
    http_.answers["127.0.0.1:20300 /ready"] = {200, ready_body};
    http_.answers["127.0.0.1:20300 /diag/tunnel"] = {200, tunnel_body};
    EXPECT_TRUE(readiness(7));
}

TEST_F(ConnectorsTest, NothingOfThatGroupListens) {
    const Listener listener;
    serve(listener, 200, ready_body);
    const Result<Readiness> readiness = this->readiness(UINT64_MAX);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::missing);
    EXPECT_THAT(http_.asked, ElementsAre());
}

TEST_F(ConnectorsTest, UnitWithoutAProcessHasNone) {
    const Result<Readiness> readiness = this->readiness(0);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::missing);
    EXPECT_THAT(readiness.error().text, HasSubstr("web@1.service"));
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

TEST(ListeningSockets, ListsBothFamiliesWithTheirAddresses) {
    const Listener loopback;
    const Listener any(INADDR_ANY);  // All of this namespace, which nobody else can reach.
    const auto sockets = listening_sockets();
    ASSERT_TRUE(sockets) << sockets.error().text;
    const auto has = [&](const std::string& address, std::uint16_t port) {
        return std::any_of(sockets->begin(), sockets->end(), [&](const ListeningSocket& socket) {
            return socket.address == address && socket.port == port;
        });
    };
    EXPECT_TRUE(has("127.0.0.1", loopback.port));
    EXPECT_TRUE(has("0.0.0.0", any.port));
    EXPECT_FALSE(has("127.0.0.1", any.port));
}

TEST(ListeningSockets, ListsMoreThanOneDatagramHolds) {
    constexpr std::size_t count = 700;
    std::vector<std::unique_ptr<Listener>> listeners;
    for (std::size_t index = 0; index < count; ++index)
        listeners.push_back(std::make_unique<Listener>());
    const auto sockets = listening_sockets();
    ASSERT_TRUE(sockets) << sockets.error().text;
    std::size_t found = 0;
    for (const auto& listener : listeners) {
        found += static_cast<std::size_t>(
            std::count_if(sockets->begin(), sockets->end(), [&](const ListeningSocket& socket) {
                return socket.port == listener->port && socket.address == "127.0.0.1";
            }));
    }
    EXPECT_EQ(found, count);
}

}  // namespace
}  // namespace keyturn::testing
