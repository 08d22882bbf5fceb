#include "doctor/check_functions.hpp"
#include "doctor/remedy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

namespace keyturn {

namespace {

/// A scheduled rotation is postponed if the clocks differ by more.
constexpr std::chrono::minutes clock_difference_max{5};

const PortSeen* port_of(const std::vector<PortSeen>& ports, const std::string& host) {
    const auto found = std::ranges::find(ports, host, &PortSeen::host);
    return found == ports.end() ? nullptr : &*found;
}

Findings names_without_address(const std::vector<NameSeen>& names, std::string_view what,
                               std::string_view kind = {}) {
    Findings findings;
    for (const NameSeen& name : names) {
        if (name.problem.empty()) continue;
        findings.push_back(
            {{name.host},
             fmt::format("{}{} cannot be resolved: {}. {}", kind, name.host, name.problem, what),
             "getent ahosts " + shell_word(name.host)});
    }
    return findings;
}

/// Shows what happens to a connection, with what every host has.
std::string connect_command(const PortSeen& port) {
    return fmt::format("timeout 5 bash -c '</dev/tcp/{}/{}' && echo connected", port.host,
                       port.port);
}

/// A silent port of a region that answers at its other port.
Findings half_blocked(const std::vector<PortSeen>& silent, const std::vector<PortSeen>& other,
                      std::string_view protocol, std::string_view what) {
    Findings findings;
    for (const PortSeen& port : silent) {
        const PortSeen* rest = port_of(other, port.host);
        if (port.answered || rest == nullptr || !rest->answered) continue;
        findings.push_back({{port.host},
                            fmt::format("{} does not answer at {} port {}: {}. {}", port.host,
                                        protocol, port.port, port.problem, what),
                            "sudo nft list ruleset"});
    }
    return findings;
}

}  // namespace

Findings look_at_api_name(const HostFacts& facts) {
    return names_without_address(facts.network.api_names,
                                 "keyturnd cannot ask or change anything at Cloudflare",
                                 facts.network.proxy.empty() ? "" : "the proxy ");
}

Findings look_at_api_port(const HostFacts& facts) {
    Findings findings;
    for (const PortSeen& port : facts.network.api_tcp) {
        if (port.answered) continue;
        findings.push_back(
            {{port.host},
             fmt::format(
                 "no address of {}{} accepts a connection at TCP port {}: {}. keyturnd cannot "
                 "ask or change anything at Cloudflare",
                 facts.network.proxy.empty() ? "" : "the proxy ", port.host, port.port,
                 port.problem),
             connect_command(port)});
    }
    return findings;
}

Findings look_at_edge_name(const HostFacts& facts) {
    return names_without_address(facts.network.edge_names,
                                 "cloudflared needs it to connect to Cloudflare");
}

Findings look_at_edge(const HostFacts& facts) {
    Findings findings;
    for (const PortSeen& udp : facts.network.edge_udp) {
        const PortSeen* tcp = port_of(facts.network.edge_tcp, udp.host);
        if (tcp == nullptr || tcp->answered || udp.answered) continue;
        findings.push_back(
            {{udp.host},
             fmt::format("{} answers neither at UDP nor at TCP port {}: {}. cloudflared cannot "
                         "connect to this region, so a restarted unit has no connection there",
                         udp.host, udp.port, tcp->problem),
             connect_command(*tcp)});
    }
    return findings;
}

Findings look_at_edge_tcp(const HostFacts& facts) {
    return half_blocked(facts.network.edge_tcp, facts.network.edge_udp, "TCP",
                        "cloudflared cannot fall back to HTTP/2 when UDP is lost");
}

Findings look_at_edge_udp(const HostFacts& facts) {
    return half_blocked(facts.network.edge_udp, facts.network.edge_tcp, "UDP",
                        "cloudflared needs it for QUIC, and falls back to HTTP/2 over TCP");
}

Findings look_at_proxies(const HostFacts& facts) {
    if (facts.network.proxies.empty()) return {};
    return {
        {{},
         fmt::format("there are proxy variables: {}. keyturnd connects to Cloudflare's API {}. "
                     "cloudflared uses no proxy for its connections",
                     fmt::join(facts.network.proxies, ", "),
                     facts.network.proxy.empty() ? "directly" : "through " + facts.network.proxy),
         "systemctl show-environment"}};
}

Findings look_at_clock(const HostFacts& facts) {
    const NetworkSeen& network = facts.network;
    if (!network.server_time || !network.own_time) return {};
    const auto difference = *network.own_time - *network.server_time;
    if (std::chrono::abs(difference) <= clock_difference_max) return {};
    return {
        {{},
         fmt::format("the clock of this host is {} {} Cloudflare's. keyturnd postpones scheduled "
                     "rotations until it is right",
                     to_text(std::chrono::abs(difference)),
                     difference.count() > 0 ? "ahead of" : "behind"),
         "sudo timedatectl set-ntp true"}};
}

}  // namespace keyturn
