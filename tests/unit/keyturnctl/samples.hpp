#pragma once

#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

namespace keyturn::samples {

/// 2026-03-01 02:30:00 UTC.
inline constexpr WallTime now{std::chrono::seconds{1772332200}};

inline TunnelStatus idle() {
    TunnelStatus tunnel;
    tunnel.name = "api";
    tunnel.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    tunnel.state = "idle";
    tunnel.reason = "every unit runs with the new token";
    tunnel.rotation_id = "77aa";
    tunnel.last_outcome = "done";
    tunnel.fingerprint = "0123456789abcdef";
    tunnel.units = {{"cloudflared-api.service", "", 0, 4, ""}};
    tunnel.last_done = now - std::chrono::hours{28 * 24};
    tunnel.last_ended = tunnel.last_done;
    tunnel.due = now + std::chrono::hours{48};
    tunnel.due_cause = "due";
    tunnel.health = {{"cloudflared-api.service", "serving", "current", "0123456789abcdef", -1}};
    tunnel.last_check = now - std::chrono::minutes{3};
    return tunnel;
}

/// Due in a day, with a window in two; every 30 days.
inline TunnelPlan planned() {
    using std::chrono::hours;
    TunnelPlan plan;
    plan.name = "web";
    plan.units = {"cloudflared-web@a.service", "cloudflared-web@b.service"};
    plan.batches = {1, 1};
    for (const int day : {1, 31, 61}) {
        const WallTime due = now + hours{24 * day};
        const WallTime start = due + hours{24};
        plan.starts.push_back({due, start, start + std::chrono::minutes{12}, "window"});
    }
    return plan;
}

inline TunnelStatus soaking() {
    TunnelStatus tunnel;
    tunnel.name = "web";
    tunnel.tunnel = "0b1a7c6e-5a5f-4a6e-9d1b-3c2f1e0d9b8a";
    tunnel.state = "running";
    tunnel.kind = "routine";
    tunnel.phase = "soak";
    tunnel.rotation_id = "3f2a";
    tunnel.trigger = "laptop lost";
    tunnel.fingerprint = "fedcba9876543210";
    tunnel.batch = 1;
    tunnel.batch_count = 2;
    tunnel.units = {{"cloudflared-web@a.service", "verified", 1, 4, "systemd, ready, api"},
                    {"cloudflared-web@b.service", "waiting", 2, 1, ""}};
    tunnel.started = now - std::chrono::minutes{4};
    tunnel.step_started = now - std::chrono::minutes{4};
    tunnel.step_ends = now + std::chrono::minutes{6};
    tunnel.expected_end = now + std::chrono::minutes{7};
    tunnel.health = {{"cloudflared-web@a.service", "serving", "", "", 4},
                     {"cloudflared-web@b.service", "serving", "", "", 4}};
    return tunnel;
}

inline TunnelStatus held() {
    TunnelStatus tunnel = soaking();
    tunnel.state = "held";
    tunnel.phase = "roll";
    tunnel.hold_reason = "verification_failed";
    tunnel.held_unit = "cloudflared-web@a.service";
    tunnel.can_revert = true;
    tunnel.reason =
        "cloudflared-web@a.service did not connect within 2m. The other replicas keep serving. "
        "Look at journalctl -u cloudflared-web@a.service";
    tunnel.step_started.reset();
    tunnel.step_ends.reset();
    tunnel.expected_end.reset();
    tunnel.units[0] = {"cloudflared-web@a.service", "restarting", 1, -1, ""};
    tunnel.health[0].health = "starting";
    return tunnel;
}

}  // namespace keyturn::samples
