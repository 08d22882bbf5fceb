#include "token/base64.hpp"
#include "unit/agent/agent_fixture.hpp"

#include <fmt/format.h>

namespace keyturn {
namespace {

/// What GET token answers instead of the token of this tunnel.
class OddTokenTest : public TunnelAgentTest {
  protected:
    struct Odd {
        std::string what;
        std::string text;
    };

    static std::string token_of(const std::string& json) {
        return std::string(encode_base64(json).reveal());
    }

    [[nodiscard]] std::vector<Odd> odd_tokens() const {
        const std::string secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        const std::string whole = R"({{"a":"{}","s":"{}","t":"{}"}})";
        const std::string other(32, 'b');
        const std::string ours =
            token_of(fmt::format(fmt::runtime(whole), policy_.account, secret, policy_.tunnel));
        return {
            {"of another tunnel",
             token_of(fmt::format(fmt::runtime(whole), policy_.account, secret, other))},
            {"of another account",
             token_of(fmt::format(fmt::runtime(whole), other, secret, policy_.tunnel))},
            {"empty", ""},
            {"unpadded", ours.substr(0, ours.size() - 1)},
            {"without anything", token_of("{}")},
            {"with a short secret",
             token_of(fmt::format(fmt::runtime(whole), policy_.account, "AAEC", policy_.tunnel))},
            {"of 5 KiB", token_of(R"({"x":")" + std::string(5 * 1024, 'x') + "\"}")},
        };
    }
};

TEST_F(OddTokenTest, BeforeARotationIsRefusedAndNothingIsTouched) {
    start_serving();
    const std::string before = host_->api_token_text();
    for (const Odd& odd : odd_tokens()) {
        host_->api_token_shown = odd.text;
        log_.events.clear();
        request();
        ASSERT_TRUE(run_until([this] { return told(EventKind::rotation_refused); })) << odd.what;
        ASSERT_TRUE(run_until_state("idle"));
        EXPECT_THAT(status().reason, HasSubstr("cannot read the tunnel's token"));
        EXPECT_THAT(host_->secrets_sent, SizeIs(0)) << odd.what;
        EXPECT_EQ((*tokens_->current("web"))->reveal(), before) << odd.what;
    }
    EXPECT_EQ(restarts(), 0);
}

TEST_F(OddTokenTest, IsNoChangeOfTheTokenWhileNothingIsRotated) {
    start_serving();
    const std::string before = host_->api_token_text();
    for (const Odd& odd : odd_tokens()) {
        host_->api_token_shown = odd.text;
        pass(1h);
        EXPECT_EQ((*tokens_->current("web"))->reveal(), before) << odd.what;
        EXPECT_EQ(status().state, "idle") << odd.what;
    }
    EXPECT_EQ(restarts(), 0);
    EXPECT_TRUE(told(EventKind::drift_unknown));
}

TEST_F(OddTokenTest, AfterThePatchHoldsAndIsNeverDelivered) {
    policy_.schedule.min_interval = Milliseconds{0};
    policy_.rollout.soak = 2s;
    start_serving();
    std::size_t rotations = 0;
    for (const Odd& odd : odd_tokens()) {
        host_->on_patch = [&](std::string_view) { host_->api_token_shown = odd.text; };
        request();
        ASSERT_TRUE(run_until_state("held")) << odd.what;
        EXPECT_TRUE(file_holds_the_api_token()) << odd.what << ": ours is the right one";
        EXPECT_EQ(restarts(), 2 * static_cast<int>(rotations)) << odd.what;
        host_->on_patch = nullptr;
        host_->api_token_shown.reset();
        decide(Decision::retry);
        ASSERT_TRUE(run_until_state("idle")) << odd.what;
        EXPECT_EQ(status().last_outcome, "done") << odd.what;
        ++rotations;
        EXPECT_THAT(host_->secrets_sent, SizeIs(rotations)) << odd.what;
    }
}

TEST_F(OddTokenTest, WithMembersThatNobodyKnowsIsAToken) {
    start_serving();
    host_->api_token_shown = token_of(fmt::format(
        R"({{"a":"{}","s":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","t":"{}","new":"x"}})",
        policy_.account, policy_.tunnel));
    request();
    ASSERT_TRUE(run_until_state("running"));
    EXPECT_TRUE(run_until([this] { return host_->secrets_sent.size() == 1; }, 1min));
}

}  // namespace
}  // namespace keyturn
