#include "cloudflared/readiness_message.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

constexpr const char* ready =
    R"({"status":200,"readyConnections":4,"connectorId":"9F0A2C3E-1111-4222-8333-ABCDEF012345"})";

TEST(ReadReady, ReadsAnAnswer) {
    const auto readiness = read_ready(200, ready);
    ASSERT_TRUE(readiness);
    Readiness expected;
    expected.connector_id = "9f0a2c3e-1111-4222-8333-abcdef012345";
    expected.connections = 4;
    expected.serving = true;
    EXPECT_EQ(*readiness, expected);
}

TEST(ReadReady, ServiceUnavailableIsAnAnswer) {
    const auto readiness =
        read_ready(503, R"({"status":503,"readyConnections":0,)"
                        R"("connectorId":"9f0a2c3e-1111-4222-8333-abcdef012345"})");
    ASSERT_TRUE(readiness);
    EXPECT_FALSE(readiness->serving);
    EXPECT_EQ(readiness->connections, 0);
    EXPECT_EQ(readiness->connector_id, "9f0a2c3e-1111-4222-8333-abcdef012345");
}

TEST(ReadReady, ServingNeedsBothStatusAndConnections) {
    EXPECT_FALSE(read_ready(503, ready)->serving);
    EXPECT_FALSE(read_ready(200, R"({"readyConnections":0})")->serving);
    const std::string_view nul("{\"readyConnections\":4}\0{}", 26);
    EXPECT_FALSE(read_ready(200, nul)) << "the parser would take a NUL for the end";
}

TEST(ReadReady, UnknownKeysAreFineAndConnectorMayBeMissing) {
    const auto readiness = read_ready(200, R"({"readyConnections":2,"new":[1,{"a":null}]})");
    ASSERT_TRUE(readiness);
    EXPECT_EQ(readiness->connections, 2);
    EXPECT_EQ(readiness->connector_id, "");
    EXPECT_EQ(read_ready(200, R"({"readyConnections":2,"connectorId":7})")->connector_id, "");
    EXPECT_EQ(read_ready(200, R"({"readyConnections":2,"connectorId":"../../etc"})")->connector_id,
              "");
}

TEST(ReadReady, OtherAnswersAreOtherServers) {
    EXPECT_FALSE(read_ready(404, ready));
    EXPECT_FALSE(read_ready(302, ready));
    for (const char* body :
         {"", "ok", "null", "[]", "4", "{", R"({"status":200})", R"({"readyConnections":"4"})",
          R"({"readyConnections":4.0})", R"({"readyConnections":-1})",
          R"({"readyConnections":100000})", R"({"readyConnections":18446744073709551615})",
          R"({"readyConnections":4} x)", "\xff\xfe"}) {
        EXPECT_FALSE(read_ready(200, body)) << body;
    }
}

TEST(ReadTunnelDiagnosis, ReadsTunnelAndConnector) {
    const auto diagnosis =
        read_tunnel_diagnosis(200, R"({"tunnelID":"F70FF985-a4ef-4643-bbbc-4a0ed4fc8415",)"
                                   R"("connectorID":"9F0A2C3E-1111-4222-8333-abcdef012345",)"
                                   R"("connections":[{"isConnected":true}],"icmp_sources":null})");
    ASSERT_TRUE(diagnosis);
    EXPECT_EQ(diagnosis->tunnel, "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415");
    EXPECT_EQ(diagnosis->connector_id, "9f0a2c3e-1111-4222-8333-abcdef012345");
}

TEST(ReadTunnelDiagnosis, IsNothingWhereItIsNotServed) {
    EXPECT_FALSE(read_tunnel_diagnosis(404, "404 page not found"));
    EXPECT_FALSE(read_tunnel_diagnosis(200, "ok"));
    EXPECT_FALSE(read_tunnel_diagnosis(200, R"({"tunnelID":"x"})"));
    EXPECT_FALSE(
        read_tunnel_diagnosis(500, R"({"tunnelID":"f70ff985-a4ef-4643-bbbc-4a0ed4fc8415"})"));
    EXPECT_FALSE(
        read_tunnel_diagnosis(200, R"({"tunnelID":"f70ff985ea4ef-4643-bbbc-4a0ed4fc8415"})"));
}

}  // namespace
}  // namespace keyturn
