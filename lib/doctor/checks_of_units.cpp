#include "base/counted.hpp"
#include "cloudflared/cloudflared_command.hpp"
#include "cloudflared/unit_environment.hpp"
#include "doctor/check_functions.hpp"
#include "doctor/grace_period.hpp"
#include "doctor/remedy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

namespace keyturn {

namespace {

/// cloudflared ends within its grace period; this is for the rest of a stop.
constexpr std::chrono::seconds stop_reserve{5};
/// --token-file exists since cloudflared 2025.4.0.
constexpr std::string_view version_min = "2025.4.0";

/// One finding for each unit of the policy for which `look` returns a text.
template <class Look>
Findings for_each_planned(const HostFacts& facts, const Look& look) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (unit.planned_for.empty()) continue;
        if (auto found = look(unit)) {
            found->about = about(unit);
            findings.push_back(std::move(*found));
        }
    }
    return findings;
}

using Found = std::optional<Finding>;

/// The command that makes an empty file, which is enough for the unit to start.
std::string command_for(const LostFile& file) {
    const std::string path = shell_word(file.path);
    if (file.setting == "ConditionFileNotEmpty" || file.setting == "AssertFileNotEmpty")
        return fmt::format("echo needed | sudo tee {}", path);
    if (file.setting.ends_with("PathIsDirectory")) return fmt::format("sudo mkdir -p {}", path);
    return fmt::format("sudo install -D -m 600 /dev/null {}", path);
}

}  // namespace

Findings look_for_units(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        for (const std::string& unit : tunnel.lost_units) {
            findings.push_back({{unit, tunnel.name},
                                fmt::format("{} in `units:` of tunnel {} stands for no unit that "
                                            "systemd has loaded",
                                            unit, tunnel.name),
                                edit_policy_command(tunnel.policy_path)});
        }
    }
    return findings;
}

Findings look_for_masks(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        for (const std::string& unit : tunnel.masked_units) {
            findings.push_back({{unit, tunnel.name},
                                fmt::format("{} of tunnel {} is masked", unit, tunnel.name),
                                fmt::format("sudo systemctl unmask {}", shell_word(unit))});
        }
    }
    return findings;
}

Findings look_at_reload(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        if (!unit.settings.need_daemon_reload) return std::nullopt;
        return Finding{{},
                       fmt::format("the file of {} or a drop-in changed, and systemd has not read "
                                   "it, so nobody knows how it will start",
                                   unit.name()),
                       "sudo systemctl daemon-reload"};
    });
}

Findings look_at_lost_files(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        if (unit.lost_files.empty()) return std::nullopt;
        const LostFile& file = unit.lost_files.front();
        return Finding{{},
                       fmt::format("{} cannot start again: {}={} does not exist. Its old token may "
                                   "have been there; an empty file is enough now",
                                   unit.name(), file.setting, file.path),
                       command_for(file)};
    });
}

Findings look_at_activity(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        if (unit.state.running() || unit.state.started()) return std::nullopt;
        const bool limited = unit.service.result == "start-limit-hit";
        const std::string name = shell_word(unit.name());
        return Finding{
            {},
            fmt::format("{} does not run: it is {} ({}, exit status {}{})", unit.name(),
                        unit.state.active_state, unit.service.result, unit.service.exit_status,
                        unit.service.exit_status == 243
                            ? ", which means that a credential cannot be read"
                            : ""),
            limited ? fmt::format(
                          "sudo sh -c \"systemctl reset-failed {0} && systemctl start {0}\"", name)
                    : fmt::format("sudo systemctl start {}", name)};
    });
}

Findings look_at_versions(const HostFacts& facts) {
    return for_each_planned(facts, [&](const UnitSeen& unit) -> Found {
        const TunnelSeen* tunnel = tunnel_of(facts, unit);
        if (tunnel == nullptr || !tunnel->connectors || unit.connector.empty()) return std::nullopt;
        const auto connector =
            std::ranges::find(*tunnel->connectors, unit.connector, &Connector::id);
        if (connector == tunnel->connectors->end() || connector->version.empty())
            return std::nullopt;
        if (!is_older(connector->version, version_min)) return std::nullopt;
        return Finding{{},
                       fmt::format("{} runs cloudflared {}, which does not know --token-file: it "
                                   "exists since {}",
                                   unit.name(), connector->version, version_min),
                       fmt::format("sudo sh -c \"apt-get install --only-upgrade cloudflared && "
                                   "systemctl restart {}\"",
                                   shell_word(unit.name()))};
    });
}

Findings look_at_dragged_units(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        if (unit.settings.dragged_along.empty()) return std::nullopt;
        return Finding{
            {},
            fmt::format("a restart of {} would also restart or stop {}. Loosen Requires=, "
                        "BindsTo= or PartOf= there",
                        unit.name(), fmt::join(unit.settings.dragged_along, ", ")),
            fmt::format("sudo systemctl edit --full {}",
                        shell_word(unit.settings.dragged_along.front()))};
    });
}

Findings look_at_restart(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        if (unit.service.restart != "no") return std::nullopt;
        return Finding{{},
                       fmt::format("{} has Restart=no: after a crash, or after a start that "
                                   "Cloudflare refused, it stays down",
                                   unit.name()),
                       drop_in_command(unit.name(), "restart",
                                       {"[Service]", "Restart=on-failure", "RestartSec=5s"})};
    });
}

Findings look_at_start_limit(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        const ServiceSeen& service = unit.service;
        if (service.restart.empty() || service.restart == "no") return std::nullopt;
        if (service.start_limit_burst == 0 || service.start_limit_interval.count() == 0)
            return std::nullopt;
        if (service.restart_pause * service.start_limit_burst >= service.start_limit_interval)
            return std::nullopt;
        return Finding{
            {},
            fmt::format("systemd gives {} up after {} in {}, which takes {}: a "
                        "short outage leaves it down for good",
                        unit.name(), counted(service.start_limit_burst, "start"),
                        to_text(service.start_limit_interval),
                        to_text(service.restart_pause * service.start_limit_burst)),
            drop_in_command(unit.name(), "start-limit", {"[Unit]", "StartLimitIntervalSec=0"})};
    });
}

Findings look_at_start_timeout(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        if (unit.service.type != "notify" || unit.settings.start_timeout.count() != 0)
            return std::nullopt;
        return Finding{
            {},
            fmt::format("{} has no start timeout: a start with a token that Cloudflare "
                        "refuses never ends, and is never tried again",
                        unit.name()),
            drop_in_command(unit.name(), "start-timeout", {"[Service]", "TimeoutStartSec=15s"})};
    });
}

Findings look_at_stop_timeout(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        const Milliseconds grace = grace_period_of(unit.settings);
        const Milliseconds stop = unit.settings.stop_timeout;
        if (stop.count() == 0 || stop >= grace + stop_reserve) return std::nullopt;
        const auto wanted = std::chrono::ceil<std::chrono::seconds>(grace) + 3 * stop_reserve;
        return Finding{
            {},
            fmt::format("systemd kills {} {} after a stop, but cloudflared gives requests "
                        "{} to end: the longer ones are cut off",
                        unit.name(), to_text(stop), to_text(grace)),
            drop_in_command(unit.name(), "stop-timeout",
                            {"[Service]", fmt::format("TimeoutStopSec={}s", wanted.count())})};
    });
}

Findings look_at_networks(const HostFacts& facts) {
    return for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        const bool own = unit.contained || unit.other_network || unit.service.private_network ||
                         !unit.service.network_namespace.empty();
        if (!own || unit.connections) return std::nullopt;
        if (!unit.metrics_address.empty()) {
            if (!unit.state.running()) return std::nullopt;
            return Finding{{},
                           fmt::format("{} runs, but nothing of cloudflared answers at {}, which "
                                       "`metrics_address:` of the policy says",
                                       unit.name(), unit.metrics_address),
                           fmt::format("curl http://{}/ready", unit.metrics_address)};
        }
        return Finding{
            {},
            fmt::format("{} has a network of its own, where keyturnd cannot ask /ready, so it "
                        "refuses to rotate: publish the port of its metrics server on 127.0.0.1 "
                        "and name it in `metrics_address:` (CONTAINERS in keyturn.yaml(5))",
                        unit.name()),
            fmt::format("systemctl cat {}", shell_word(unit.name()))};
    });
}

Findings look_at_connections(const HostFacts& facts) {
    Findings findings = for_each_planned(facts, [](const UnitSeen& unit) -> Found {
        if (!unit.state.running() || unit.connections != 0) return std::nullopt;
        return Finding{{},
                       fmt::format("{} runs but has no connection to Cloudflare", unit.name()),
                       fmt::format("sudo systemctl restart {}", shell_word(unit.name()))};
    });
    // Without the network, no unit has one.
    for (Finding& finding : findings)
        for (const NameSeen& name : facts.network.edge_names) finding.about.push_back(name.host);
    return findings;
}

Findings look_at_surge(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        const auto units = std::ranges::count(facts.units, tunnel.name, &UnitSeen::planned_for);
        const bool enough = units > tunnel.min_available;
        if (units == 0 || enough || !tunnel.surge || tunnel.surge_unit || tunnel.accept_gap)
            continue;
        findings.push_back(
            {about_all_of(facts, tunnel),
             fmt::format("tunnel {} has {} on this host and no extra connector "
                         "that serves during a restart, so keyturnd refuses to rotate "
                         "it",
                         tunnel.name, counted(units, "unit")),
             fmt::format("sudo keyturnctl surge {} --yes", tunnel.name)});
    }
    return findings;
}

}  // namespace keyturn
