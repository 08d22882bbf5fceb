#include "waves/wave_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

std::string identity_of(const KnownHost& host) {
    return host.tag.empty() ? "address " + host.address : "tag " + host.tag;
}

std::string identity_of(const KnownHost& host, const Connector& connector) {
    if (host.tag.empty()) {
        return connector.origin_ip.empty() ? "no address" : "address " + connector.origin_ip;
    }
    return connector.tag.empty() ? "no tag" : "tag " + connector.tag;
}

/// What to do about a unit that Cloudflare shows with another identity than the policy says.
std::string remedy_for(const KnownHost& host) {
    if (host.tag.empty()) return "correct `hosts`, or give each host a `tag` instead";
    return fmt::format(
        "add `--features {}` to the end of the command in the unit and restart it; if it has that "
        "already, Cloudflare does not list tags: use `address` instead",
        host.tag);
}

}  // namespace

std::optional<std::size_t> host_of(const std::vector<KnownHost>& hosts,
                                   const Connector& connector) {
    std::optional<std::size_t> by_address;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        const KnownHost& host = hosts[i];
        if (!host.tag.empty() && host.tag == connector.tag) return i;
        if (host.tag.empty() && host.address == connector.origin_ip) by_address = i;
    }
    return by_address;
}

std::optional<std::string> mistaken_identity(const std::vector<KnownHost>& hosts, std::size_t own,
                                             const std::vector<Connector>& listed,
                                             const OwnConnectors& own_connectors) {
    for (const auto& [unit, id] : own_connectors) {
        const auto found = std::ranges::find(listed, id, &Connector::id);
        if (found == listed.end() || host_of(hosts, *found) == own) continue;
        return fmt::format(
            "Cloudflare shows the connector of {} with {}, but `hosts` says that {} has {}: {}",
            unit, identity_of(hosts[own], *found), hosts[own].host, identity_of(hosts[own]),
            remedy_for(hosts[own]));
    }
    return std::nullopt;
}

}  // namespace keyturn
