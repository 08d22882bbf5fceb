#include "agent/tunnels.hpp"

#include "unit/agent/agent_fixture.hpp"

#include <fstream>

namespace keyturn {
namespace {

using testing::ElementsAre;

/// The tunnels of a policy, as keyturnd makes them at its start; none of their loops runs.
class TunnelsTest : public TunnelAgentTest {
  protected:
    void adopt(const std::vector<std::string>& names) {
        CloudflarePolicy cloudflare;
        cloudflare.credentials[policy_.credential] = {};
        std::vector<TunnelPolicy> policies;
        for (const std::string& name : names) {
            policies.push_back(policy_);
            policies.back().name = name;
        }
        tunnels_.adopt(std::move(policies),
                       std::make_shared<Accounts>(context_.get_executor(), cloudflare, ApiAccess{},
                                                  budget_, clock_));
    }

    [[nodiscard]] std::string put(const std::string& name) const {
        const std::string path = directory_ / ("tokens/" + name);
        std::ofstream(path) << "left over";
        return path;
    }

    Tunnels tunnels_{context_,
                     {clock_, *host_, *host_, *tokens_, *states_, *random_, budget_, log_},
                     "a host",
                     [](const std::string&) {},
                     [](std::exception_ptr) {}};
};

TEST_F(TunnelsTest, ClearAwayWhatAKilledStartHasLeft) {
    start_serving();
    stop();
    const std::string of_web = put(".web.keyturn-0123abcd.tmp");
    const std::string of_shop = put(".shop.keyturn-" + std::string(32, 'f'));
    const std::string of_nobody = put(".mail.keyturn-" + std::string(32, 'f'));
    adopt({"web", "shop"});
    EXPECT_FALSE(std::filesystem::exists(of_web));
    EXPECT_FALSE(std::filesystem::exists(of_shop));
    EXPECT_TRUE(std::filesystem::exists(of_nobody)) << "its rotation may be open";
    EXPECT_TRUE(std::filesystem::exists(token_file()));
}

TEST_F(TunnelsTest, LeaveTheFilesOfAnOpenRotation) {
    come_to_the_soak();
    stop();
    const std::string staged = put(".web.keyturn-" + std::string(32, 'f'));
    adopt({"web"});
    EXPECT_TRUE(std::filesystem::exists(staged));
}

TEST_F(TunnelsTest, AreFoundByTheirNames) {
    adopt({"web", "shop"});
    EXPECT_THAT(tunnels_.names(), ElementsAre("web", "shop"));
    EXPECT_EQ(tunnels_.status("shop")->name, "shop");
    EXPECT_EQ(tunnels_.find("web")->name(), "web");
    EXPECT_FALSE(tunnels_.status("mail"));
    EXPECT_EQ(tunnels_.find("mail"), nullptr);
}

}  // namespace
}  // namespace keyturn
