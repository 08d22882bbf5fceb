#include "cloudflare/budgeted_api.hpp"

#include "cloudflare/api_budget.hpp"
#include "fakes/simulated_clock.hpp"
#include "unit/cloudflare/scripted_http.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;

const auto some_secret = Secret::copy_of("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
constexpr auto some_token = R"({"success":true,"result":"eyJhIjoi"})";

class BudgetedApiTest : public testing::Test {
  protected:
    BudgetedApiTest() {
        for (const std::string name : {"main", "other"}) {
            auto hear = [this, name](const std::vector<RateLimit>& limits) {
                budget_.heard(name, limits, clock_.boot_now());
            };
            auto api = make_tunnel_api(
                http_, some_url,
                [] { return Result<Secret>(Secret::copy_of("cfut_the_api_token")); },
                std::move(hear));
            (name == "main" ? api_ : other_) =
                make_budgeted_api(std::move(api), name, budget_, clock_);
        }
    }

    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
    }

    void use_up() {
        while (budget_.admit("main", clock_.boot_now()).at <= clock_.boot_now()) {
        }
    }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    ScriptedHttp http_;
    ApiBudget budget_;
    std::unique_ptr<TunnelApi> api_;
    std::unique_ptr<TunnelApi> other_;
};

TEST_F(BudgetedApiTest, PassesCallsOnAndCountsThem) {
    http_.will_answer(200, R"({"success":true,"result":{"name":"web","status":"down"}})");
    http_.will_answer(200, some_token);
    http_.will_answer(200, R"({"success":true,"result":{"token":"eyJhIjoi"}})");
    http_.will_answer(200, R"({"success":true,"result":[]})");
    EXPECT_TRUE(finished(api_->get_tunnel(some_tunnel)));
    EXPECT_EQ(finished(api_->get_token(some_tunnel))->token.reveal(), "eyJhIjoi");
    EXPECT_TRUE(finished(api_->patch_secret(some_tunnel, some_secret)));
    EXPECT_THAT(*finished(api_->list_connectors(some_tunnel)), SizeIs(0));
    http_.will_answer(200, R"({"success":true,"result":{}})");
    EXPECT_TRUE(finished(api_->evict(some_tunnel, "")));
    api_->close_idle();
    EXPECT_EQ(http_.rests, 1);
    int left = 0;
    while (budget_.admit("main", clock_.boot_now()).at <= clock_.boot_now()) ++left;
    EXPECT_EQ(left, 595);
}

TEST_F(BudgetedApiTest, SendsNothingWhenTheBudgetIsUsedUpAndSaysWhenThereIsMore) {
    use_up();
    pass(100s + 1ms);
    const auto token = finished(api_->get_token(some_tunnel));
    EXPECT_EQ(token.error().fault, Fault::busy);
    EXPECT_EQ(token.error().retry_after, 200s) << "whole seconds, and not too early";
    EXPECT_THAT(token.error().text,
                HasSubstr("GET token was not sent: keyturn has used its share"));
    const auto patched = finished(api_->patch_secret(some_tunnel, some_secret));
    EXPECT_EQ(patched.error().fault, Fault::busy) << "certainly not sent: nothing to be settled";
    EXPECT_EQ(finished(api_->get_tunnel(some_tunnel)).error().fault, Fault::busy);
    EXPECT_EQ(finished(api_->list_connectors(some_tunnel)).error().fault, Fault::busy);
    EXPECT_EQ(finished(api_->evict(some_tunnel, "")).error().fault, Fault::busy);
    EXPECT_THAT(http_.asked, SizeIs(0));
    pass(token.error().retry_after);
    http_.will_answer(200, some_token);
    EXPECT_TRUE(finished(api_->get_token(some_tunnel)));
}

TEST_F(BudgetedApiTest, IsQuietAfterA429UntilItsRetryAfterIsOver) {
    http_.will_answer(429, "", {{"retry-after", "30"}});
    EXPECT_EQ(finished(api_->get_token(some_tunnel)).error().retry_after, 30s);
    const auto quiet = finished(api_->list_connectors(some_tunnel));
    EXPECT_EQ(quiet.error().retry_after, 30s);
    EXPECT_THAT(quiet.error().text, HasSubstr("was not sent: Cloudflare limits the calls"));
    EXPECT_THAT(http_.asked, SizeIs(1));
    http_.will_answer(200, some_token);
    EXPECT_TRUE(finished(other_->get_token(some_tunnel))) << "another credential";
    pass(30s);
    http_.will_answer(200, some_token);
    EXPECT_TRUE(finished(api_->get_token(some_tunnel)));
}

TEST_F(BudgetedApiTest, IsQuietAfterTheThrottlingCodeWithAnyStatus) {
    const auto* body = R"({"code":971,"message":"Please wait and consider throttling"})";
    http_.will_answer(500, body);
    EXPECT_EQ(finished(api_->get_token(some_tunnel)).error().fault, Fault::busy);
    EXPECT_EQ(finished(api_->get_token(some_tunnel)).error().retry_after, 1s);
    pass(1s);
    http_.will_answer(500, body);
    EXPECT_EQ(finished(api_->get_token(some_tunnel)).error().fault, Fault::busy);
    EXPECT_EQ(finished(api_->get_token(some_tunnel)).error().retry_after, 2s);
    EXPECT_THAT(http_.asked, SizeIs(2));
}

TEST_F(BudgetedApiTest, SaysTheStatusAndUntilWhenHoweverAbsurdRetryAfterIs) {
    struct Case {
        std::string header;
        std::chrono::seconds quiet;
    };
    const Case cases[] = {{"30", 30s},      {"100000", 300s},
                          {"-1", 4s},       {"Tue, 24 Nov 2026 06:50:54 GMT", 8s},
                          {"garbage", 16s}, {"", 32s}};
    for (const auto& test : cases) {
        const std::string at = to_text(clock_.wall_now() + test.quiet).substr(11, 8);
        const std::string until = "; the next call is possible at " + at + " UTC";
        http_.will_answer(429, "", {{"retry-after", test.header}});
        const auto limited = finished(api_->get_token(some_tunnel)).error();
        EXPECT_THAT(limited.text, HasSubstr("HTTP 429")) << test.header;
        EXPECT_THAT(limited.text, EndsWith(until)) << test.header;
        const auto quiet = finished(api_->list_connectors(some_tunnel)).error();
        EXPECT_THAT(quiet.text, HasSubstr("HTTP 429")) << test.header;
        EXPECT_THAT(quiet.text, EndsWith(until)) << test.header;
        pass(test.quiet);
    }
}

TEST_F(BudgetedApiTest, ReadsTheHeadersOfSuccessesAndFailures) {
    const auto policy =
        std::pair<std::string, std::string>("ratelimit-policy", R"("default";q=1200;w=300)");
    http_.will_answer(200, some_token, {{"ratelimit", R"("default";r=5;t=60)"}, policy});
    EXPECT_TRUE(finished(api_->get_token(some_tunnel)));
    http_.will_answer(404, "", {{"ratelimit", R"("default";r=4;t=60)"}, policy});
    EXPECT_EQ(finished(api_->get_token(some_tunnel)).error().fault, Fault::missing);
    http_.will_answer(503, "", {{"ratelimit", R"("default";r=3;t=60)"}, policy});
    EXPECT_EQ(finished(api_->get_token(some_tunnel)).error().fault, Fault::unreachable);
    const auto last = finished(api_->get_token(some_tunnel));
    EXPECT_EQ(last.error().retry_after, 61s) << "6 were left with ours, and ours were 3";
    EXPECT_THAT(http_.asked, SizeIs(3));
}

}  // namespace
}  // namespace keyturn
