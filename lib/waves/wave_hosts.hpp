#pragma once

#include "model/connector.hpp"
#include "policy/policy.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// The index of the host that a connector belongs to, by its tag or else by its address; nothing if
/// it belongs to none of them.
[[nodiscard]] std::optional<std::size_t> host_of(const std::vector<KnownHost>& hosts,
                                                 const Connector& connector);

/// A unit of this host, and the connector that it reports as its own.
using OwnConnectors = std::map<std::string, std::string>;

/// Why Cloudflare's list does not show that our own connectors are ours, with the remedy; nothing
/// if it does. Then the other hosts would wait for this one for ever, or not at all.
[[nodiscard]] std::optional<std::string> mistaken_identity(const std::vector<KnownHost>& hosts,
                                                           std::size_t own,
                                                           const std::vector<Connector>& listed,
                                                           const OwnConnectors& own_connectors);

}  // namespace keyturn
