#include "cloudflared/metrics_servers.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ServerAddress at(const char* host, const char* port) {
    return ServerAddress{host, port};
}

TEST(ServersOfGroup, TakesThoseOfTheGroupAndLoopback) {
    const GroupServers servers = servers_of_group({{"127.0.0.1", 20242, 7},
                                                   {"127.0.0.1", 20241, 8},
                                                   {"::1", 20243, 7},
                                                   {"0.0.0.0", 9000, 7},
                                                   {"::", 9001, 7},
                                                   {"::ffff:127.0.0.1", 9002, 7},
                                                   {"192.0.2.1", 80, 7},
                                                   {"127.0.0.1", 22, std::nullopt}},
                                                  7);
    EXPECT_THAT(servers.reachable,
                ElementsAre(at("127.0.0.1", "9000"), at("::1", "9001"), at("127.0.0.1", "9001"),
                            at("127.0.0.1", "9002"), at("127.0.0.1", "20242"), at("::1", "20243")));
    EXPECT_THAT(servers.elsewhere, ElementsAre("192.0.2.1:80"));
    EXPECT_TRUE(servers.kernel_tells);
}

TEST(ServersOfGroup, KernelMayNotTell) {
    EXPECT_FALSE(servers_of_group({{"127.0.0.1", 22, std::nullopt}}, 7).kernel_tells);
    EXPECT_FALSE(servers_of_group({}, 7).kernel_tells);
    EXPECT_TRUE(servers_of_group({{"127.0.0.1", 22, 9}}, 7).kernel_tells);
    EXPECT_THAT(servers_of_group({{"127.0.0.1", 22, 9}}, 7).reachable, IsEmpty());
}

TEST(ReadServerAddress, SplitsAtTheLastColon) {
    EXPECT_EQ(read_server_address("127.0.0.1:20300"), at("127.0.0.1", "20300"));
    EXPECT_EQ(read_server_address("[::1]:20300"), at("::1", "20300"));
    EXPECT_EQ(read_server_address("20300"), std::nullopt);
    EXPECT_EQ(read_server_address(":20300"), std::nullopt);
    EXPECT_EQ(read_server_address("127.0.0.1:"), std::nullopt);
    EXPECT_EQ(read_server_address(""), std::nullopt);
}

}  // namespace
}  // namespace keyturn
