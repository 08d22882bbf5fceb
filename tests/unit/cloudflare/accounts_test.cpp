#include "cloudflare/accounts.hpp"

#include "fakes/simulated_clock.hpp"
#include "scripted_http.hpp"

namespace keyturn {
namespace {

TEST(Accounts, ATunnelWithoutACredentialIsRefusedWithTheRemedy) {
    boost::asio::io_context context;
    SimulatedClock clock(context);
    ApiBudget budget;
    Accounts accounts(context.get_executor(), CloudflarePolicy{}, ApiAccess{}, budget, clock);
    TunnelApi& api = accounts.api("");
    EXPECT_EQ(&api, &accounts.api(""));
    const auto token = finished(api.get_token(some_tunnel));
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().fault, Fault::denied);
    EXPECT_EQ(
        token.error().text,
        "the policy of this host has no `credential` for the tunnel; add it, or ask on a host "
        "that has one");
    EXPECT_FALSE(finished(api.get_tunnel(some_tunnel)));
    EXPECT_FALSE(finished(api.list_connectors(some_tunnel)));
    EXPECT_FALSE(finished(api.patch_secret(some_tunnel, Secret::copy_of("s"))));
    EXPECT_FALSE(finished(api.evict(some_tunnel, "")));
    api.close_idle();
}

}  // namespace
}  // namespace keyturn
