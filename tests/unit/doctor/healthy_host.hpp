#pragma once

#include "doctor/facts.hpp"

namespace keyturn {

inline constexpr const char* sample_tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
inline constexpr const char* sample_fingerprint = "0123456789abcdef";
inline constexpr const char* old_fingerprint = "fedcba9876543210";
inline constexpr const char* sample_connector = "6ad8a4ae-5b3a-4d32-b9a8-3b9a7b1e5c01";

/// A unit that was brought in and serves tunnel "web".
inline UnitSeen healthy_unit(const std::string& name = "cloudflared.service") {
    UnitSeen unit;
    unit.settings.name = name;
    unit.settings.names = {name};
    unit.settings.exec_start = {{"/usr/bin/cloudflared", "--no-autoupdate", "tunnel", "run",
                                 "--token-file", "/run/credentials/" + name + "/token"}};
    unit.settings.load_credentials = {{"token", "/var/lib/keyturn/tokens/web"}};
    unit.settings.unset_environment = {"TUNNEL_TOKEN", "TUNNEL_TOKEN_FILE"};
    unit.settings.files = {"/etc/systemd/system/" + name,
                           "/etc/systemd/system/" + name + ".d/keyturn.conf"};
    unit.settings.start_timeout = std::chrono::seconds{15};
    unit.settings.stop_timeout = std::chrono::seconds{90};
    unit.state.name = unit.settings.name;
    unit.state.load_state = "loaded";
    unit.state.active_state = "active";
    unit.state.sub_state = "running";
    unit.state.result = "success";
    unit.state.main_pid = 4711;
    unit.service.type = "notify";
    unit.service.restart = "on-failure";
    unit.service.restart_pause = std::chrono::seconds{5};
    unit.service.start_limit_burst = 5;
    unit.service.start_limit_interval = std::chrono::seconds{10};
    unit.service.result = "success";
    unit.planned_for = "web";
    unit.running_origin = TokenOrigin::credential;
    unit.running_path = "/run/credentials/" + name + "/token";
    unit.running_fingerprint = sample_fingerprint;
    unit.running_tunnel = sample_tunnel;
    unit.connector = sample_connector;
    unit.connections = 4;
    return unit;
}

inline TunnelSeen healthy_tunnel() {
    TunnelSeen tunnel;
    tunnel.name = "web";
    tunnel.account = "699d98642c564d2e855e9661899b7252";
    tunnel.tunnel = sample_tunnel;
    tunnel.credential = "main";
    tunnel.policy_path = "/etc/keyturn/keyturn.d/web.yaml";
    tunnel.file.fingerprint = sample_fingerprint;
    tunnel.file.tunnel = sample_tunnel;
    tunnel.fingerprint = sample_fingerprint;
    tunnel.connectors = {{sample_connector, "192.0.2.1", "2026-11-29T10:00:00Z", "2026.8.2", 4}};
    tunnel.status.emplace();
    tunnel.status->name = "web";
    tunnel.status->state = "idle";
    return tunnel;
}

/// A host on which no check finds anything.
inline HostFacts healthy_host() {
    HostFacts facts;
    facts.now = WallTime{std::chrono::hours{500'000}};
    facts.tunnels = {healthy_tunnel()};
    facts.units = {healthy_unit()};
    CredentialSeen credential;
    credential.name = "main";
    credential.path = "/etc/keyturn/cloudflare-api-token.cred";
    credential.encrypted = true;
    credential.check.emplace();
    credential.check->verdict = ApiTokenVerdict::active;
    facts.credentials = {credential};
    facts.daemon.state.name = "keyturnd.service";
    facts.daemon.state.load_state = "loaded";
    facts.daemon.state.active_state = "active";
    facts.daemon.state.sub_state = "running";
    facts.daemon.state.main_pid = 42;
    facts.daemon.service.result = "success";
    facts.daemon.service.unit_file_state = "enabled";
    facts.daemon.known_tunnels = {std::string("web ") + sample_tunnel};
    for (const char* verb : {"try-restart", "restart"})
        facts.rights.push_back({"cloudflared.service", verb, Permission::granted});
    facts.network.api_names = {{"api.example", ""}};
    facts.network.api_tcp = {{"api.example", "443", true, ""}};
    for (const char* region : {"region1.example", "region2.example"}) {
        facts.network.edge_names.push_back({region, ""});
        facts.network.edge_tcp.push_back({region, "7844", true, ""});
        facts.network.edge_udp.push_back({region, "7844", true, ""});
    }
    facts.network.server_time = facts.now;
    facts.network.own_time = facts.now;
    facts.system.systemd_version = 252;
    return facts;
}

}  // namespace keyturn
