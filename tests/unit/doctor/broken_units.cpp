// Ways to break units, and connectors that are not in the policy.
#include "broken_host.hpp"

namespace keyturn {

std::vector<Broken> unit_is_broken() {
    return {
        {"unit-unknown", "not there",
         [](auto& facts) { tunnel_of(facts).lost_units = {"gone.service"}; }, "gone.service",
         "sudoedit"},
        {"unit-masked", "masked",
         [](auto& facts) {
             tunnel_of(facts).masked_units = {"cloudflared.service"};
             unit_of(facts).state.load_state = "masked";
         },
         "is masked", "unmask cloudflared.service"},
        {"unit-masked", "and still runs",
         [](HostFacts& facts) {
             tunnel_of(facts).masked_units = {"cloudflared-2.service"};
             tunnel_of(facts).surge_unit = false;
             tunnel_of(facts).connectors->push_back({"second", "", "", "", 4});
             facts.elsewhere = {"a process in /system.slice/cloudflared-2.service"};
         },
         "is masked", "unmask cloudflared-2.service"},
        {"unit-reload", "edited",
         [](auto& facts) { unit_of(facts).settings.need_daemon_reload = true; }, "has not read",
         "daemon-reload"},
        {"unit-needs-file", "environment file",
         [](auto& facts) {
             unit_of(facts).lost_files = {{"EnvironmentFile", "/etc/default/cloudflared"}};
         },
         "EnvironmentFile=/etc/default/cloudflared",
         "install -D -m 600 /dev/null /etc/default/cloudflared"},
        {"unit-needs-file", "condition",
         [](auto& facts) {
             unit_of(facts).lost_files = {{"ConditionFileNotEmpty", "/etc/x"}};
         },
         "ConditionFileNotEmpty=/etc/x", "tee /etc/x"},
        {"unit-inactive", "stopped",
         [](auto& facts) {
             unit_of(facts).state.active_state = "inactive";
             unit_of(facts).state.sub_state = "dead";
         },
         "does not run", "systemctl start cloudflared.service"},
        {"unit-inactive", "gave up",
         [](auto& facts) {
             unit_of(facts).state.active_state = "failed";
             unit_of(facts).service.result = "start-limit-hit";
             unit_of(facts).service.exit_status = 243;
         },
         "credential cannot be read", "reset-failed"},
        {"unit-version", "2025.2",
         [](auto& facts) { tunnel_of(facts).connectors->front().version = "2025.2.1"; }, "2025.2.1",
         "--only-upgrade cloudflared"},
        {"unit-drags", "target",
         [](auto& facts) { unit_of(facts).settings.dragged_along = {"shop.service"}; },
         "shop.service", "edit --full shop.service"},
    };
}

std::vector<Broken> service_is_broken() {
    return {
        {"unit-restart", "no", [](auto& facts) { unit_of(facts).service.restart = "no"; },
         "Restart=no", "Restart=on-failure"},
        {"unit-start-limit", "100 ms",
         [](auto& facts) { unit_of(facts).service.restart_pause = Milliseconds{100}; },
         "after 5 starts in 10s", "StartLimitIntervalSec=0"},
        {"unit-start-timeout", "infinity",
         [](auto& facts) { unit_of(facts).settings.start_timeout = Milliseconds{0}; }, "never ends",
         "TimeoutStartSec=15s"},
        {"unit-stop-timeout", "shorter than the grace period",
         [](auto& facts) { unit_of(facts).settings.stop_timeout = std::chrono::seconds{20}; },
         "20s after a stop", "TimeoutStopSec=45s"},
        {"unit-stop-timeout", "a long grace period",
         [](auto& facts) {
             auto& words = unit_of(facts).settings.exec_start.front();
             words.insert(words.begin() + 1, {"--grace-period", "2m30s"});
         },
         "2m 30s", "TimeoutStopSec=165s"},
        {"unit-network", "PrivateNetwork",
         [](auto& facts) {
             unit_of(facts).service.private_network = true;
             unit_of(facts).connector.clear();
             unit_of(facts).connections.reset();
         },
         "`metrics_address:`", "systemctl cat"},
        {"unit-network", "a container",
         [](auto& facts) {
             unit_of(facts).contained = true;
             unit_of(facts).connections.reset();
         },
         "a network of its own", "systemctl cat"},
        {"unit-network", "nothing at the address of the policy",
         [](auto& facts) {
             unit_of(facts).contained = true;
             unit_of(facts).metrics_address = "127.0.0.1:20241";
             unit_of(facts).connections.reset();
         },
         "nothing of cloudflared answers at 127.0.0.1:20241", "curl http://127.0.0.1:20241/ready"},
        {"unit-disconnected", "0 connections", [](auto& facts) { unit_of(facts).connections = 0; },
         "no connection", "systemctl restart cloudflared.service"},
        {"surge-missing", "lone", [](auto& facts) { tunnel_of(facts).surge_unit = false; },
         "has 1 unit on this host", "keyturnctl surge web --yes"},
    };
}

std::vector<Broken> unmanaged() {
    return {
        {"unit-not-planned", "of the same tunnel",
         [](HostFacts& facts) {
             UnitSeen unit = healthy_unit("other.service");
             unit.planned_for.clear();
             unit.running_origin = TokenOrigin::argument;
             unit.connector = "other";
             facts.units.push_back(unit);
             tunnel_of(facts).connectors->push_back({"other", "", "", "", 4});
         },
         "other.service runs a connector of tunnel web", "keyturnctl setup"},
        {"unit-unmanaged", "in no tunnel",
         [](HostFacts& facts) {
             UnitSeen unit = healthy_unit("other.service");
             unit.planned_for.clear();
             unit.running_tunnel = "another";
             facts.units.push_back(unit);
         },
         "other.service", "keyturnctl setup"},
        {"unit-unmanaged", "cannot be brought in",
         [](HostFacts& facts) {
             UnitSeen unit = healthy_unit("other.service");
             unit.planned_for.clear();
             unit.running_tunnel = "another";
             unit.obstacle = "it is a container";
             facts.units.push_back(unit);
         },
         "it is a container", "systemctl cat other.service"},
        {"connector-elsewhere", "from a terminal",
         [](auto& facts) { facts.elsewhere = {"a process in /user.slice"}; }, "/user.slice",
         "systemd-cgls"},
    };
}

}  // namespace keyturn
