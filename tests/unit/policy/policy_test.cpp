#include "policy/policy.hpp"

#include "policy/summary.hpp"
#include "unit/policy/parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Policy parsed(const std::string& text) {
    PolicyOutcome outcome = parse_policy(completed(text), "keyturn.yaml");
    EXPECT_EQ(problems_of(outcome), "");
    return std::holds_alternative<Policy>(outcome) ? std::get<Policy>(outcome) : Policy{};
}

const TunnelPolicy& only_tunnel(const Policy& policy) {
    EXPECT_EQ(policy.tunnels.size(), 1U);
    return policy.tunnels.at(0);
}

TEST(Policy, SmallestOneHasTheBuiltInValues) {
    const Policy policy = parsed("");
    TunnelPolicy expected;
    expected.name = "web";
    expected.account = "699d98642c564d2e855e9661899b7252";
    expected.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    expected.credential = "main";
    expected.units = {"web@*.service"};
    EXPECT_EQ(only_tunnel(policy), expected);
    EXPECT_EQ(policy.cloudflare.api_url, "https://api.cloudflare.com/client/v4");
    EXPECT_EQ(policy.cloudflare.ca_file, "");
    EXPECT_EQ(policy.cloudflare.credentials.at("main"),
              (CredentialSource{"cloudflare-api-token", ""}));
    EXPECT_THAT(policy.warnings, IsEmpty());
}

TEST(Policy, ReadsEveryKey) {
    const Policy policy = parsed(R"(
cloudflare:
  credentials: {main: {file: /etc/keyturn/token}}
  api_url: https://localhost:8443/client/v4/
  ca_file: /etc/ssl/ca.pem
  proxy: {url: "http://proxy.example:3128/", file: /etc/keyturn/login,
          no_proxy: [.corp.example, 10.0.0.0/8, "*"]}
tunnels:
  web-1_A:
    account: 699D98642C564D2E855E9661899B7252
    tunnel: F70FF985-A4EF-4643-BBBC-4A0ED4FC8415
    credential: main
    units: [web@2.service, 'web@1.service', "x-*.service"]
    token: {store: keyturn}
    rotate: {every: 30d, min_interval: 1h}
    rollout: {batches: 3, canary: true, settle: 2s, soak: 1h 30min, min_available: 2,
              min_healthy_time: 20s, healthy_deadline: 5m, progress_deadline: 1d, accept_gap: true,
              surge: never, on_failure: revert}
)");
    TunnelPolicy expected;
    expected.name = "web-1_A";
    expected.account = "699d98642c564d2e855e9661899b7252";
    expected.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    expected.credential = "main";
    expected.units = {"web@2.service", "web@1.service", "x-*.service"};
    expected.schedule.every = hours{24 * 30};
    expected.schedule.min_interval = hours{1};
    expected.rollout = {
        3,           true,       seconds{2}, minutes{90},     minutes{90}, 2,
        seconds{20}, minutes{5}, hours{24},  SurgeUse::never, true,        OnFailure::revert};
    EXPECT_EQ(only_tunnel(policy), expected);
    EXPECT_EQ(policy.cloudflare.api_url, "https://localhost:8443/client/v4");
    EXPECT_EQ(policy.cloudflare.ca_file, "/etc/ssl/ca.pem");
    EXPECT_EQ(policy.cloudflare.proxy, (ProxyPolicy{"http://proxy.example:3128",
                                                    {"", "/etc/keyturn/login"},
                                                    {".corp.example", "10.0.0.0/8", "*"}}));
    EXPECT_EQ(policy.cloudflare.credentials.at("main"),
              (CredentialSource{"", "/etc/keyturn/token"}));
}

constexpr const char* two_tunnels = R"(
tunnels:
  web:
    tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415
    units: ["web@*.service"]
    rotate: {every: 0}
    rollout: {batches: 4}
  mail:
    tunnel: 00000000-a4ef-4643-bbbc-4a0ed4fc8415
    account: 00000000000000000000000000000000
    units: ["mail@*.service"]
defaults:
  account: 699d98642c564d2e855e9661899b7252
  credential: main
  token:
  rotate: {every: 30d}
  rollout: {batches: 1, soak: 20m}
)";

TEST(Policy, TunnelsOverrideDefaultsWhereverThoseStand) {
    const Policy policy = parsed(two_tunnels);
    ASSERT_EQ(policy.tunnels.size(), 2U);
    const TunnelPolicy& web = policy.tunnels[0];
    const TunnelPolicy& mail = policy.tunnels[1];
    EXPECT_EQ(web.name, "web");
    EXPECT_EQ(web.account, "699d98642c564d2e855e9661899b7252");
    EXPECT_EQ(web.schedule.every, Milliseconds{0});
    EXPECT_EQ(web.rollout.batches, 4);
    EXPECT_EQ(web.rollout.soak, minutes{20});
    EXPECT_EQ(mail.account, "00000000000000000000000000000000");
    EXPECT_EQ(mail.credential, "main");
    EXPECT_EQ(mail.schedule.every, hours{24 * 30});
    EXPECT_EQ(mail.rollout.batches, 1);
}

TEST(Policy, ASoakIsADurationOrItsBounds) {
    const Policy policy = parsed(R"(
defaults: {account: 699d98642c564d2e855e9661899b7252, credential: main,
           rollout: {soak: {min: 30s, max: 20m}}}
tunnels:
  web: {tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, units: ["web@*.service"]}
  mail: {tunnel: 00000000-a4ef-4643-bbbc-4a0ed4fc8415, units: ["mail@*.service"],
         rollout: {soak: 5m}}
)");
    ASSERT_EQ(policy.tunnels.size(), 2U);
    EXPECT_EQ(policy.tunnels[0].rollout.soak_min, seconds{30});
    EXPECT_EQ(policy.tunnels[0].rollout.soak, minutes{20});
    EXPECT_EQ(policy.tunnels[1].rollout.soak_min, minutes{5});
    EXPECT_EQ(policy.tunnels[1].rollout.soak, minutes{5});
}

constexpr const char* hosts_by_default = R"(
defaults:
  account: 699d98642c564d2e855e9661899b7252
  credential: main
  rollout: {surge: auto}
  coordinator:
    kind: etcd
    endpoints: ["https://10.0.0.1:2379/", "http://localhost:2379"]
    ca_file: /etc/keyturn/etcd-ca.pem
    cert_file: /etc/keyturn/etcd.pem
    key_file: /etc/keyturn/etcd.key
    user: keyturn
    password: {file: /etc/keyturn/etcd-password}
    prefix: tunnels/keyturn
    fleet_key: {credential: fleet-key}
tunnels:
  web: {tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, units: [web.service]}
  mail:
    tunnel: 00000000-a4ef-4643-bbbc-4a0ed4fc8415
    units: [mail.service]
    coordinator:
      kind: bucket
      endpoint: https://a.r2.cloudflarestorage.com
      bucket: fleet
      credential: {credential: fleet-bucket}
      fleet_key: {file: /etc/keyturn/fleet.key}
  files:
    tunnel: 00000000-0000-4643-bbbc-4a0ed4fc8415
    units: [files.service]
    coordinator: {lead: false, fleet_key: {file: /etc/keyturn/fleet.key}}
  alone:
    tunnel: 00000000-0000-0000-bbbc-4a0ed4fc8415
    units: [alone.service]
    coordinator: {kind: local}
)";

TEST(Policy, ACoordinatorIsTheTunnelsOrThatOfTheDefaults) {
    const Policy policy = parsed(hosts_by_default);
    ASSERT_EQ(policy.tunnels.size(), 4U);
    Coordinator etcd;
    etcd.kind = CoordinatorKind::etcd;
    etcd.endpoints = {"https://10.0.0.1:2379", "http://localhost:2379"};
    etcd.ca_file = "/etc/keyturn/etcd-ca.pem";
    etcd.cert_file = "/etc/keyturn/etcd.pem";
    etcd.key_file = "/etc/keyturn/etcd.key";
    etcd.user = "keyturn";
    etcd.password.file = "/etc/keyturn/etcd-password";
    etcd.prefix = "tunnels/keyturn";
    etcd.fleet_key.credential = "fleet-key";
    EXPECT_EQ(policy.tunnels[0].coordinator, etcd);

    Coordinator bucket;
    bucket.kind = CoordinatorKind::bucket;
    bucket.endpoint = "https://a.r2.cloudflarestorage.com";
    bucket.bucket = "fleet";
    bucket.credential.credential = "fleet-bucket";
    bucket.fleet_key.file = "/etc/keyturn/fleet.key";
    EXPECT_EQ(policy.tunnels[1].coordinator, bucket) << "with nothing of the defaults";

    etcd.lead = false;
    etcd.fleet_key = {"", "/etc/keyturn/fleet.key"};
    EXPECT_EQ(policy.tunnels[2].coordinator, etcd) << "with one key of its own";
    EXPECT_EQ(policy.tunnels[3].coordinator, std::nullopt);
}

TEST(Policy, HostsWithoutAStoreAreKnownByAddressOrTag) {
    const Policy policy = parsed(R"(
tunnels:
  web:
    tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415
    account: 699d98642c564d2e855e9661899b7252
    credential: main
    units: [web.service]
    coordinator:
      kind: api
      host: web2
      hosts:
        - {host: web1, address: 203.0.113.7, units: 2}
        - {host: web2, address: "2001:DB8:0::7"}
        - {host: web3, tag: keyturn-web3}
)");
    Coordinator api;
    api.kind = CoordinatorKind::api;
    api.host = "web2";
    api.hosts = {{"web1", "203.0.113.7", "", 2},
                 {"web2", "2001:db8::7", "", 1},
                 {"web3", "", "keyturn-web3", 1}};
    EXPECT_EQ(only_tunnel(policy).coordinator, api);
}

TEST(Policy, AHostOfSeveralHasNoSurge) {
    const Policy policy = parsed(hosts_by_default);
    ASSERT_EQ(policy.tunnels.size(), 4U);
    EXPECT_EQ(policy.tunnels[0].rollout.surge, SurgeUse::never);
    EXPECT_EQ(policy.tunnels[3].rollout.surge, SurgeUse::automatic);
}

TEST(Policy, AHostThatOnlyFollowsNeedsNoCloudflareCredential) {
    const PolicyOutcome outcome = parse_policy(R"(
version: 1
tunnels:
  web:
    account: 699d98642c564d2e855e9661899b7252
    tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415
    units: [web.service]
    coordinator: {kind: file, path: /srv/web, fleet_key: {credential: fleet-key}, lead: false}
)",
                                               "keyturn.yaml");
    ASSERT_EQ(problems_of(outcome), "");
    EXPECT_EQ(only_tunnel(std::get<Policy>(outcome)).credential, "");
}

TEST(Policy, SummaryNamesWhatTheHostsShare) {
    const std::string text = summary(parsed(hosts_by_default), WallTime{});
    EXPECT_THAT(text, HasSubstr("\n  hosts      share etcd at https://10.0.0.1:2379, "
                                "http://localhost:2379; this host may lead\n"));
    EXPECT_THAT(text, HasSubstr("\n  hosts      share bucket fleet at "
                                "https://a.r2.cloudflarestorage.com; this host may lead\n"));
    EXPECT_THAT(text, HasSubstr("http://localhost:2379; this host only follows\n"));
}

TEST(Policy, OneReplicaIsAllowedWithASurge) {
    const Policy policy = parsed(R"(
tunnels:
  web: {account: 699d98642c564d2e855e9661899b7252, credential: main,
        tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, units: [cloudflared.service]}
)");
    EXPECT_EQ(only_tunnel(policy).rollout.surge, SurgeUse::automatic);
}

TEST(Policy, OneReplicaIsAllowedWithAnAcceptedGap) {
    const Policy policy = parsed(R"(
defaults: {rollout: {surge: never, accept_gap: true}}
tunnels:
  web: {account: 699d98642c564d2e855e9661899b7252, credential: main,
        tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, units: [cloudflared.service]}
)");
    EXPECT_TRUE(only_tunnel(policy).rollout.accept_gap);
}

TEST(Policy, AGlobMayStandForAnyNumberOfReplicas) {
    EXPECT_EQ(
        only_tunnel(parsed("defaults: {rollout: {min_available: 5}}\n")).rollout.min_available, 5);
}

TEST(Policy, SubSecondWaitsAreAllowedWithAWarning) {
    const Policy policy = parsed(
        "defaults:\n"
        "  rotate: {every: 1s, min_interval: 0}\n"
        "  rollout: {settle: 0, soak: 200ms, min_healthy_time: 5s}\n");
    EXPECT_EQ(only_tunnel(policy).rollout.soak, Milliseconds{200});
    EXPECT_THAT(
        policy.warnings,
        ElementsAre(
            "keyturn.yaml:2:19: `every` of 1s is unusually short; outside of tests use at least 1h",
            "keyturn.yaml:2:37: `min_interval` of 0ms is unusually short; outside of tests use "
            "at least 10m",
            "keyturn.yaml:3:21: `settle` of 0ms is unusually short; outside of tests use at "
            "least 1s",
            "keyturn.yaml:3:30: `soak` of 200ms is unusually short; outside of tests use at "
            "least 10s"));
}

TEST(Policy, ACredentialThatNoTunnelUsesIsAWarning) {
    const Policy policy =
        parsed("cloudflare: {credentials: {main: {credential: a}, spare: {credential: b}}}\n");
    EXPECT_THAT(policy.warnings,
                ElementsAre("keyturn.yaml:1:51: no tunnel uses the credential `spare`"));
}

TEST(Policy, AcceptsAByteOrderMarkAndForeignLineEnds) {
    const Policy policy = parsed(
        "\xEF\xBB\xBF"
        "defaults:\r\n  rollout: {soak: 15m}\r\n");
    EXPECT_EQ(only_tunnel(policy).rollout.soak, minutes{15});
}

TEST(Policy, CountsPlacesRightBehindAByteOrderMarkAndForeignLineEnds) {
    const std::string text = completed(
        "\xEF\xBB\xBF"
        "defaults: 1\r\n");
    EXPECT_THAT(problems_of(parse_policy(text, "p")), HasSubstr("p:1:11: "));
}

TEST(Policy, AnEmptySectionIsNoSection) {
    EXPECT_EQ(parsed("defaults:\n  rollout:\n  # soak: 1m\n"), parsed(""));
}

TEST(Policy, AUnitAndAGlobOfTheSameTunnelMayOverlap) {
    const Policy policy = parsed(R"(
tunnels:
  web: {account: 699d98642c564d2e855e9661899b7252, credential: main,
        tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, units: [web@7.service, "web@*.service"]}
)");
    EXPECT_THAT(only_tunnel(policy).units, ElementsAre("web@7.service", "web@*.service"));
}

}  // namespace
}  // namespace keyturn
