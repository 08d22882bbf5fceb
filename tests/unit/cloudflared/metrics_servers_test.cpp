#include "cloudflared/metrics_servers.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SocketAddress at(const char* host, const char* port) {
    return SocketAddress{host, port};
}

TEST(ServersOfUnit, AreAskedWhereTheyAreBound) {
    const UnitServers servers = servers_of_unit({{"127.0.0.1", 20242, 7},
                                                 {"::1", 20243, 7},
                                                 {"0.0.0.0", 9000, 7},
                                                 {"::", 9001, 7},
                                                 {"::ffff:127.0.0.1", 9002, 7},
                                                 {"::ffff:0.0.0.0", 9003, 7},
                                                 {"2001:db8::1", 90, 7},
                                                 {"fe80::1", 85, 7},
                                                 {"192.0.2.1", 80, 7}});
    EXPECT_THAT(servers.reachable,
                ElementsAre(at("192.0.2.1", "80"), at("2001:db8::1", "90"), at("127.0.0.1", "9000"),
                            at("::1", "9001"), at("127.0.0.1", "9001"), at("127.0.0.1", "9002"),
                            at("127.0.0.1", "9003"), at("127.0.0.1", "20242"), at("::1", "20243")));
    EXPECT_THAT(servers.elsewhere, ElementsAre("[fe80::1]:85"));
}

TEST(ServersOfUnit, AreAskedOnceWhereTwoSocketsMeanOneAddress) {
    EXPECT_THAT(servers_of_unit({{"0.0.0.0", 9000, 7}, {"::", 9000, 7}}).reachable,
                ElementsAre(at("127.0.0.1", "9000"), at("::1", "9000")));
    EXPECT_THAT(servers_of_unit({}).reachable, IsEmpty());
}

TEST(ReadSocketAddress, SplitsAtTheLastColon) {
    EXPECT_EQ(read_socket_address("127.0.0.1:20300"), at("127.0.0.1", "20300"));
    EXPECT_EQ(read_socket_address("[::1]:20300"), at("::1", "20300"));
    EXPECT_EQ(read_socket_address("20300"), std::nullopt);
    EXPECT_EQ(read_socket_address(":20300"), std::nullopt);
    EXPECT_EQ(read_socket_address("127.0.0.1:"), std::nullopt);
    EXPECT_EQ(read_socket_address(""), std::nullopt);
}

}  // namespace
}  // namespace keyturn
