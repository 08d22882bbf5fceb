#include "sockets/socket_owner.hpp"

#include "integration/sockets/listeners.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace keyturn::testing {
namespace {

std::uint64_t group_of(const Listener& listener) {
    const auto socket = listener_at({"127.0.0.1", std::to_string(listener.port)});
    EXPECT_TRUE(socket && *socket && (*socket)->control_group);
    return (*socket)->control_group.value_or(0);
}

TEST(SocketOwner, ListsBothFamiliesWithTheirAddresses) {
    const Listener loopback;
    const Listener any(INADDR_ANY);  // All of this namespace, which nobody else can reach.
    const UniqueFd v6 = listen_anywhere(AF_INET6, "::1", 20'242);
    const std::array<std::uint64_t, 2> groups{UINT64_MAX, group_of(loopback)};
    const auto sockets = sockets_of_groups(groups);
    ASSERT_TRUE(sockets) << sockets.error().text;
    const auto has = [&](const std::string& address, std::uint16_t port) {
        return std::any_of(sockets->begin(), sockets->end(), [&](const TcpSocket& socket) {
            return socket.address == address && socket.port == port;
        });
    };
    EXPECT_TRUE(has("127.0.0.1", loopback.port));
    EXPECT_TRUE(has("0.0.0.0", any.port));
    EXPECT_TRUE(has("::1", 20'242));
    EXPECT_FALSE(has("127.0.0.1", any.port));
}

TEST(SocketOwner, ListsNoneOfOtherGroups) {
    const std::array<Listener, 3> strangers;
    const std::array<std::uint64_t, 2> groups{1'000'001, 1'000'002};
    const auto sockets = sockets_of_groups(groups);
    ASSERT_TRUE(sockets) << sockets.error().text;
    EXPECT_TRUE(sockets->empty());
}

TEST(SocketOwner, ListsMoreThanOneDatagramHolds) {
    constexpr std::size_t count = 700;
    std::vector<std::unique_ptr<Listener>> listeners;
    for (std::size_t index = 0; index < count; ++index)
        listeners.push_back(std::make_unique<Listener>());
    const std::array<std::uint64_t, 1> groups{group_of(*listeners.front())};
    const auto sockets = sockets_of_groups(groups);
    ASSERT_TRUE(sockets) << sockets.error().text;
    EXPECT_EQ(sockets->size(), count);
}

TEST(SocketOwner, HasAnEndWhereAUnitHasTooMany) {
    std::vector<std::unique_ptr<Listener>> listeners;
    for (std::size_t index = 0; index < 2 * sockets_of_groups_max; ++index)
        listeners.push_back(std::make_unique<Listener>());
    const std::array<std::uint64_t, 1> groups{group_of(*listeners.front())};
    const auto sockets = sockets_of_groups(groups);
    ASSERT_TRUE(sockets) << sockets.error().text;
    EXPECT_GE(sockets->size(), sockets_of_groups_max);
    EXPECT_LT(sockets->size(), 2 * sockets_of_groups_max);
}

TEST(SocketOwner, TellsWhomAConnectionWouldReach) {
    const Listener any(INADDR_ANY);
    const auto reached = listener_at({"127.0.0.1", std::to_string(any.port)});
    ASSERT_TRUE(reached && *reached);
    EXPECT_EQ((*reached)->port, any.port);
    EXPECT_EQ((*reached)->address, "0.0.0.0");
    const auto nobody = listener_at({"::1", "9"});
    ASSERT_TRUE(nobody);
    EXPECT_FALSE(*nobody);
    EXPECT_FALSE(*listener_at({"localhost", "9"}));
}

SocketAddress own_end(const UniqueFd& socket) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    return {"127.0.0.1", std::to_string(ntohs(name.sin_port))};
}

TEST(SocketOwner, TellsTheOtherEndOfAConnection) {
    const Listener listener;
    const UniqueFd client = listener.connect();
    const SocketAddress server{"127.0.0.1", std::to_string(listener.port)};
    const auto found = connection_between(own_end(client), server);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(std::to_string((*found)->port), own_end(client).port);
    EXPECT_EQ((*found)->control_group, group_of(listener));
    // The listener itself is no connection, and these are no connections at all.
    EXPECT_FALSE(*connection_between({"127.0.0.1", "9"}, server));
    EXPECT_FALSE(*connection_between({"::1", "9"}, server));
    EXPECT_FALSE(*connection_between({"localhost", "9"}, server));
}

}  // namespace
}  // namespace keyturn::testing
