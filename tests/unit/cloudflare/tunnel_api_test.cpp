#include "scripted_http.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::ElementsAre;

const std::string base =
    "/client/v4/accounts/699d98642c564d2e855e9661899b7252/cfd_tunnel/"
    "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";

TEST_F(TunnelApiTest, GetsATunnel) {
    http.will_answer(200, R"({"success":true,"result":{"name":"web","status":"down"}})");
    const auto facts = finished(api->get_tunnel(some_tunnel));
    ASSERT_TRUE(facts);
    EXPECT_FALSE(facts->deleted);
    ASSERT_EQ(http.asked.size(), 1U);
    EXPECT_EQ(http.asked[0].origin, (HttpOrigin{"api.cloudflare.com", "443", true}));
    EXPECT_EQ(http.asked[0].method, "GET");
    EXPECT_EQ(http.asked[0].target, base);
    EXPECT_EQ(http.asked[0].bearer, "cfut_the_api_token");
    EXPECT_EQ(http.asked[0].body, "");
}

TEST_F(TunnelApiTest, GetsATokenAndTheServersTime) {
    http.will_answer(200, R"({"success":true,"result":"eyJhIjoi"})",
                     {{"date", "Tue, 24 Nov 2026 06:50:54 GMT"}});
    const auto answer = finished(api->get_token(some_tunnel));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->token.reveal(), "eyJhIjoi");
    ASSERT_TRUE(answer->server_time);
    EXPECT_EQ(to_text(*answer->server_time), "2026-11-24T06:50:54Z");
    ASSERT_EQ(http.asked.size(), 1U);
    EXPECT_EQ(http.asked[0].method, "GET");
    EXPECT_EQ(http.asked[0].target, base + "/token");
}

TEST_F(TunnelApiTest, GetsATokenWithoutADate) {
    http.will_answer(200, R"({"success":true,"result":"eyJhIjoi"})", {{"date", "yesterday"}});
    const auto answer = finished(api->get_token(some_tunnel));
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->server_time);
}

TEST_F(TunnelApiTest, PatchesTheSecretAndNothingElse) {
    http.will_answer(200, R"({"success":true,"result":{"token":"eyJhIjoi"}})");
    const auto secret = Secret::copy_of("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    const auto token = finished(api->patch_secret(some_tunnel, secret));
    ASSERT_TRUE(token);
    ASSERT_TRUE(*token);
    EXPECT_EQ((*token)->reveal(), "eyJhIjoi");
    ASSERT_EQ(http.asked.size(), 1U);
    EXPECT_EQ(http.asked[0].method, "PATCH");
    EXPECT_EQ(http.asked[0].target, base);
    EXPECT_EQ(http.asked[0].body,
              R"({"tunnel_secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})");
}

TEST_F(TunnelApiTest, SendsNoSecretThatIsNotBase64) {
    for (const auto* text : {"", "a\"b", "a b", "a\n"}) {
        const auto secret = Secret::copy_of(text);
        const auto answer = finished(api->patch_secret(some_tunnel, secret));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().fault, Fault::invalid);
    }
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(TunnelApiTest, ListsConnectors) {
    http.will_answer(200, R"({"success":true,"result":[{"id":"a","conns":[{}]}]})");
    const auto list = finished(api->list_connectors(some_tunnel));
    ASSERT_TRUE(list);
    EXPECT_THAT(*list, ElementsAre(Connector{"a", "", "", "", 1}));
    ASSERT_EQ(http.asked.size(), 1U);
    EXPECT_EQ(http.asked[0].target, base + "/connections");
}

TEST_F(TunnelApiTest, DropsOneConnector) {
    http.will_answer(200, R"({"success":true,"result":{}})");
    ASSERT_TRUE(finished(api->evict(some_tunnel, "1bedc50d-42b3-473c-b108-ff3d10c0d925")));
    ASSERT_EQ(http.asked.size(), 1U);
    EXPECT_EQ(http.asked[0].method, "DELETE");
    EXPECT_EQ(http.asked[0].target,
              base + "/connections?client_id=1bedc50d-42b3-473c-b108-ff3d10c0d925");
    EXPECT_EQ(http.asked[0].body, "{}");
}

TEST_F(TunnelApiTest, DropsAllConnectors) {
    http.will_answer(200, R"({"success":true,"result":{}})");
    ASSERT_TRUE(finished(api->evict(some_tunnel, "")));
    ASSERT_EQ(http.asked.size(), 1U);
    EXPECT_EQ(http.asked[0].target, base + "/connections");
}

TEST_F(TunnelApiTest, DropsNobodyByWhatIsNoId) {
    for (const auto* connector : {"a&client_id=b", "../x", "a b", "thief"}) {
        const auto answer = finished(api->evict(some_tunnel, connector));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().fault, Fault::invalid);
    }
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(TunnelApiTest, TakesAConnectorThatIsGoneForDropped) {
    http.will_answer(404, R"({"success":false,"errors":[{"code":1003,"message":"not found"}]})");
    EXPECT_TRUE(finished(api->evict(some_tunnel, "1bedc50d")));
    http.will_answer(404, R"({"success":false,"errors":[{"code":1003,"message":"not found"}]})");
    const auto all = finished(api->evict(some_tunnel, ""));
    ASSERT_FALSE(all) << "there it is the tunnel that is gone";
    EXPECT_EQ(all.error().fault, Fault::missing);
}

TEST_F(TunnelApiTest, SaysWhyAConnectorCannotBeDropped) {
    http.will_answer(403, R"({"success":false,"errors":[{"code":10000,"message":"denied"}]})");
    const auto denied = finished(api->evict(some_tunnel, "1bedc50d"));
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().fault, Fault::denied);
    EXPECT_TRUE(denied.error().text.starts_with("DELETE connections")) << denied.error().text;
}

TEST_F(TunnelApiTest, AsksForNothingButIds) {
    const TunnelRef refused[] = {{"", "f70ff985"},
                                 {"699d9864", ""},
                                 {"../699d9864", "f70ff985"},
                                 {"699d9864", "f70ff985/token"},
                                 {"699d9864", "f70ff985?x"},
                                 {std::string(37, 'a'), "f70ff985"}};
    for (const auto& tunnel : refused) {
        const auto facts = finished(api->get_tunnel(tunnel));
        ASSERT_FALSE(facts);
        EXPECT_EQ(facts.error().fault, Fault::invalid);
    }
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(TunnelApiTest, AsksNobodyWhenTheUrlIsWrong) {
    const auto other = make_tunnel_api(http, "http://api.cloudflare.com", Secret());
    const auto facts = finished(other->get_tunnel(some_tunnel));
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().fault, Fault::invalid);
    EXPECT_TRUE(facts.error().text.starts_with("api_url: ")) << facts.error().text;
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(TunnelApiTest, ReadsTheApiTokenForEachCall) {
    std::vector<std::string> tokens{"cfut_second", "cfut_first"};
    auto read = [&]() -> Result<Secret> {
        if (tokens.empty()) return Error{Fault::unreachable, "/etc/token is empty"};
        const Secret next = Secret::copy_of(tokens.back());
        tokens.pop_back();
        return next.clone();
    };
    const auto other = make_tunnel_api(http, some_url, ReadApiToken(read));
    EXPECT_THAT(tokens, testing::SizeIs(2)) << "not before the first call";
    for (const std::string token : {"cfut_first", "cfut_second"}) {
        http.will_answer(200, R"({"success":true,"result":[]})");
        ASSERT_TRUE(finished(other->list_connectors(some_tunnel)));
        EXPECT_EQ(http.asked.back().bearer, token);
    }
    const auto without = finished(other->list_connectors(some_tunnel));
    ASSERT_FALSE(without);
    EXPECT_EQ(without.error(), (Error{Fault::unreachable, "GET connections: /etc/token is empty"}));
    EXPECT_THAT(http.asked, testing::SizeIs(2)) << "nothing is sent without it";
}

TEST_F(TunnelApiTest, LetsTheClientRest) {
    api->close_idle();
    EXPECT_EQ(http.rests, 1);
}

}  // namespace
}  // namespace keyturn
