#include "waves/wave_hosts.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::Eq;
using testing::Optional;

const std::vector<KnownHost> hosts{{"one", "192.0.2.1", "", 1}, {"two", "", "keyturn-two", 1}};

Connector connector(std::string id, std::string address, std::string tag = {}) {
    return {std::move(id), std::move(address), "", "", 4, std::move(tag)};
}

TEST(WaveHosts, AreKnownByAddressOrTag) {
    EXPECT_THAT(host_of(hosts, connector("a", "192.0.2.1")), Optional(0U));
    EXPECT_THAT(host_of(hosts, connector("b", "192.0.2.9", "keyturn-two")), Optional(1U));
    EXPECT_EQ(host_of(hosts, connector("c", "192.0.2.9")), std::nullopt);
    EXPECT_EQ(host_of(hosts, connector("d", "", "")), std::nullopt)
        << "an unknown address is not the address of a host with a tag";
}

TEST(WaveHosts, ATagSaysMoreThanTheAddressOfAnotherHost) {
    EXPECT_THAT(host_of(hosts, connector("a", "192.0.2.1", "keyturn-two")), Optional(1U));
}

TEST(WaveHosts, OwnConnectorsMustLookLikeOurs) {
    const OwnConnectors own{{"web.service", "b"}};
    EXPECT_EQ(mistaken_identity(hosts, 1, {connector("b", "192.0.2.9", "keyturn-two")}, own),
              std::nullopt);
    EXPECT_EQ(mistaken_identity(hosts, 1, {connector("x", "192.0.2.9")}, own), std::nullopt)
        << "a connector that is not ours is no mistake";
    EXPECT_THAT(
        mistaken_identity(hosts, 1, {connector("b", "192.0.2.9")}, own),
        Optional(Eq("Cloudflare shows the connector of web.service with no tag, but `hosts` says "
                    "that two has tag keyturn-two: add `--features keyturn-two` to the "
                    "end of the command in the unit and restart it; if it has that already, "
                    "Cloudflare does not list tags: use `address` instead")));
    EXPECT_THAT(
        mistaken_identity(hosts, 0, {connector("b", "192.0.2.9")}, own),
        Optional(Eq("Cloudflare shows the connector of web.service with address 192.0.2.9, but "
                    "`hosts` says that one has address 192.0.2.1: correct `hosts`, or give each "
                    "host a `tag` instead")));
}

}  // namespace
}  // namespace keyturn
