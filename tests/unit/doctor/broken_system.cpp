// Ways to break the host, keyturnd, polkit and the network.
#include "broken_host.hpp"

namespace keyturn {

std::vector<Broken> host_is_broken() {
    return {
        {"system-bus", "down",
         [](auto& facts) { facts.system.bus_problem = "the system bus is unavailable"; },
         "the system bus is unavailable", "restart dbus.socket"},
        {"systemd-version", "old", [](auto& facts) { facts.system.systemd_version = 247; }, "247",
         "apt-get install"},
        {"state-directory", "wide",
         [](auto& facts) { facts.system.state_problem = "/var/lib/keyturn has mode 755"; },
         "mode 755", "systemd-tmpfiles --create"},
        {"disk-space", "full", [](auto& facts) { facts.system.free_bytes = 3 * 1024 * 1024; },
         "3 MiB left", "vacuum"},
        {"disk-inodes", "full", [](auto& facts) { facts.system.free_inodes = 7; }, "7 more files",
         "--inodes"},
        {"journal", "volatile", [](auto& facts) { facts.system.journal_persistent = false; },
         "lost at a reboot", "Storage=persistent"},
        {"swap", "open", [](auto& facts) { facts.system.open_swaps = {"/swapfile"}; }, "/swapfile",
         "swapon"},
        {"updater", "active",
         [](auto& facts) { facts.system.updater = "cloudflared-update.timer"; },
         "cloudflared-update.timer", "disable --now cloudflared-update.timer"},
        {"other-rotator", "cron",
         [](auto& facts) {
             facts.system.rotators = {{"/etc/cron.d/rotate", "cfd_tunnel"}};
         },
         "cfd_tunnel", "sudoedit /etc/cron.d/rotate"},
    };
}

std::vector<Broken> keyturnd_is_broken() {
    return {
        {"policy-missing", "none",
         [](HostFacts& facts) {
             const HostFacts healthy = facts;
             facts = HostFacts{};
             facts.policy.exists = false;
             facts.network = healthy.network;
             facts.system = healthy.system;
         },
         "no policy", "keyturnctl setup"},
        {"policy-invalid", "wrong key",
         [](auto& facts) { facts.policy.problem = "keyturn.yaml:3: unknown key"; },
         "keyturn.yaml:3", "keyturnctl check"},
        {"policy-invalid", "in a drop-in",
         [](auto& facts) {
             facts.policy.problem =
                 "the policy is invalid:\n/etc/keyturn/keyturn.d/web.yaml:3:1: unknown key";
         },
         "web.yaml:3", "sudoedit /etc/keyturn/keyturn.d/web.yaml && sudo systemctl"},
        {"keyturnd-reload", "drop-in changed",
         [](auto& facts) { facts.daemon.need_daemon_reload = true; }, "has not read it",
         "daemon-reload"},
        {"keyturnd-running", "stopped",
         [](auto& facts) {
             facts.daemon.state.active_state = "inactive";
             facts.daemon.no_answer = "not running";
         },
         "inactive", "restart keyturnd"},
        {"keyturnd-running", "masked",
         [](auto& facts) { facts.daemon.state.load_state = "masked"; }, "masked", "unmask"},
        {"keyturnd-running", "installed a moment ago",
         [](auto& facts) { facts.daemon.state.load_state = "not-found"; }, "not-found",
         "daemon-reload"},
        {"keyturnd-running", "gave up",
         [](auto& facts) {
             facts.daemon.state.active_state = "failed";
             facts.daemon.service.result = "start-limit-hit";
         },
         "start-limit-hit", "reset-failed"},
        {"keyturnd-running", "silent",
         [](auto& facts) { facts.daemon.no_answer = "no answer in 5 s"; }, "no answer in 5 s",
         "restart keyturnd"},
        {"keyturnd-enabled", "disabled",
         [](auto& facts) { facts.daemon.service.unit_file_state = "disabled"; }, "next boot",
         "enable keyturnd"},
        {"keyturnd-policy", "not reloaded", [](auto& facts) { facts.daemon.known_tunnels.clear(); },
         "changed after", "reload keyturnd"},
        {"keyturnd-second", "two", [](auto& facts) { facts.daemon.others = {815}; }, "815",
         "kill 815"},
    };
}

std::vector<Broken> polkit_is_broken() {
    return {
        {"polkit-silent", "gone",
         [](HostFacts& facts) {
             facts.system.polkit_problem = "polkit is not running";
             for (RightSeen& right : facts.rights) right.permission.reset();
         },
         "polkit is not running", "restart polkit"},
        {"polkit-rule", "no rule",
         [](HostFacts& facts) {
             for (RightSeen& right : facts.rights) right.permission = Permission::refused;
         },
         "try-restart on cloudflared.service", "keyturnctl setup"},
        {"polkit-rule", "RefuseManualStart",
         [](HostFacts& facts) { facts.rights.front().permission = Permission::not_by_hand; },
         "RefuseManualStart=", "RefuseManualStart=no"},
        {"rotation-held", "held",
         [](HostFacts& facts) {
             tunnel_of(facts).status->state = "held";
             tunnel_of(facts).status->phase = "roll";
             tunnel_of(facts).status->reason = "a unit did not come back";
         },
         "did not come back", "keyturnctl retry web --follow"},
        {"keyturnd-finding", "one",
         [](auto& facts) { tunnel_of(facts).status->findings = {"something is odd"}; },
         "something is odd", "systemctl reload keyturnd"},
    };
}

std::vector<Broken> network_is_broken() {
    return {
        {"api-name", "unknown",
         [](auto& facts) {
             facts.network.api_names.front().problem = "no such name";
             facts.network.api_tcp.clear();
             credential_of(facts).check.reset();
             credential_of(facts).no_answer = "cannot resolve";
         },
         "no such name", "getent ahosts api.example"},
        {"api-port", "blocked",
         [](auto& facts) {
             facts.network.api_tcp.front() = {"api.example", "443", false, "timed out"};
             credential_of(facts).check.reset();
             credential_of(facts).no_answer = "timed out";
         },
         "TCP port 443", "/dev/tcp/api.example/443"},
        {"edge-name", "unknown",
         [](auto& facts) {
             facts.network.edge_names.front().problem = "no such name";
             facts.network.edge_tcp.erase(facts.network.edge_tcp.begin());
             facts.network.edge_udp.erase(facts.network.edge_udp.begin());
             unit_of(facts).connections = 0;
         },
         "region1.example", "getent ahosts region1.example"},
        {"edge-unreachable", "blocked",
         [](auto& facts) {
             facts.network.edge_tcp.front() = {"region1.example", "7844", false, "timed out"};
             facts.network.edge_udp.front() = {"region1.example", "7844", false, "silent"};
             unit_of(facts).connections = 0;
         },
         "neither at UDP nor at TCP port 7844", "/dev/tcp/region1.example/7844"},
        {"edge-tcp", "blocked",
         [](auto& facts) {
             facts.network.edge_tcp.front() = {"region1.example", "7844", false, "refused"};
         },
         "HTTP/2", "nft list ruleset"},
        {"edge-udp", "blocked",
         [](auto& facts) {
             facts.network.edge_udp.back() = {"region2.example", "7844", false, "silent"};
         },
         "QUIC", "nft list ruleset"},
        {"proxy", "set", [](auto& facts) { facts.network.proxies = {"HTTPS_PROXY of systemd"}; },
         "HTTPS_PROXY of systemd", "show-environment"},
        {"api-name", "proxy",
         [](auto& facts) {
             facts.network.proxy = "the proxy proxy.example:3128";
             facts.network.api_names.front() = {"proxy.example", "the name does not exist"};
         },
         "the proxy proxy.example cannot be resolved", "getent ahosts proxy.example"},
        {"clock", "ahead", [](auto& facts) { *facts.network.own_time += std::chrono::minutes{7}; },
         "7m ahead of Cloudflare's", "set-ntp true"},
        {"clock", "behind", [](auto& facts) { *facts.network.own_time -= std::chrono::hours{2}; },
         "behind", "set-ntp true"},
    };
}

}  // namespace keyturn
