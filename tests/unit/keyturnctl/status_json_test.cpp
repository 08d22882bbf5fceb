#include "status_json.hpp"

#include "samples.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyturn {
namespace {

constexpr const char* every_field = R"({
  "tunnels": [
    {
      "name": "web",
      "tunnel": "0b1a7c6e-5a5f-4a6e-9d1b-3c2f1e0d9b8a",
      "state": "running",
      "kind": "routine",
      "phase": "soak",
      "reason": null,
      "hold_reason": null,
      "rotation_id": "3f2a",
      "last_outcome": null,
      "trigger": "laptop lost",
      "fingerprint": "fedcba9876543210",
      "batch": 1,
      "batch_count": 2,
      "units": [
        {
          "name": "cloudflared-web@a.service",
          "step": "verified",
          "batch": 1,
          "connections": 4,
          "verified_by": "systemd, ready, api",
          "health": "serving",
          "token": null,
          "fingerprint": null,
          "baseline": 4
        },
        {
          "name": "cloudflared-web@b.service",
          "step": "waiting",
          "batch": 2,
          "connections": 1,
          "verified_by": null,
          "health": "serving",
          "token": null,
          "fingerprint": null,
          "baseline": 4
        }
      ],
      "started": "2026-03-01T02:26:00.000Z",
      "step_started": "2026-03-01T02:26:00.000Z",
      "step_ends": "2026-03-01T02:36:00.250Z",
      "last_done": null,
      "due": null,
      "due_cause": null,
      "findings": [
        "somebody runs it with its token"
      ],
      "notes": [
        "token unknown"
      ],
      "held_unit": null,
      "can_revert": true,
      "evicted": [
        "connector a from 198.51.100.7"
      ],
      "lockout_seconds": 3.25,
      "outage_seconds": null,
      "expected_end": "2026-03-01T02:37:00.000Z",
      "last_ended": null,
      "last_check": null,
      "check_fails_since": null
    }
  ]
}
)";

TEST(StatusJson, HasEveryFieldInAStableOrder) {
    TunnelStatus tunnel = samples::soaking();
    *tunnel.step_ends += Milliseconds{250};
    tunnel.findings = {"somebody runs it with its token"};
    tunnel.notes = {"token unknown"};
    tunnel.can_revert = true;
    tunnel.evicted = {"connector a from 198.51.100.7"};
    tunnel.lockout = Milliseconds{3250};
    EXPECT_EQ(status_json({tunnel}), every_field);
}

TEST(StatusJson, KeepsTheKeysOfATunnelAtRest) {
    const auto open = nlohmann::json::parse(status_json({samples::soaking()}));
    const auto rest = nlohmann::json::parse(status_json({samples::idle()}));
    for (const auto& [key, value] : open["tunnels"][0].items()) {
        EXPECT_TRUE(rest["tunnels"][0].contains(key)) << key;
    }
    EXPECT_TRUE(rest["tunnels"][0]["batch"].is_null());
    EXPECT_TRUE(rest["tunnels"][0]["units"][0]["step"].is_null());
    EXPECT_EQ(rest["tunnels"][0]["due"], "2026-03-03T02:30:00.000Z");
    EXPECT_EQ(rest["tunnels"][0]["units"][0]["token"], "current");
    EXPECT_EQ(rest["tunnels"][0]["units"][0]["fingerprint"], "0123456789abcdef");
    EXPECT_EQ(rest["tunnels"][0]["last_check"], "2026-03-01T02:27:00.000Z");
}

TEST(StatusJson, OfNoTunnelsIsAnEmptyList) {
    EXPECT_EQ(status_json({}), "{\n  \"tunnels\": []\n}\n");
}

TEST(StatusJson, EscapesAndSurvivesBytesThatAreNoText) {
    TunnelStatus tunnel = samples::held();
    tunnel.trigger = "say \"no\"\x1b";
    tunnel.reason = "broken \xff byte";
    const auto parsed = nlohmann::json::parse(status_json({tunnel}));
    EXPECT_EQ(parsed["tunnels"][0]["trigger"], "say \"no\"\x1b");
    EXPECT_EQ(parsed["tunnels"][0]["reason"], "broken \xEF\xBF\xBD byte");
}

TEST(StatusJson, UnknownConnectionsAreNull) {
    const auto parsed = nlohmann::json::parse(status_json({samples::held()}));
    EXPECT_TRUE(parsed["tunnels"][0]["units"][0]["connections"].is_null());
    EXPECT_EQ(parsed["tunnels"][0]["units"][1]["connections"], 1);
}

}  // namespace
}  // namespace keyturn
