#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// A tunnel that setup adds to the policy.
struct NewTunnel {
    std::string name;
    std::string account;
    std::string tunnel;
    std::string credential = "main";
    std::vector<std::string> units;

    bool operator==(const NewTunnel&) const = default;
};

/// The first policy of a host: the commented example, without its tunnels, which are in drop-ins.
/// Pure.
[[nodiscard]] std::string first_policy();

/// The drop-in for one tunnel, keyturn.d/NAME.yaml. Pure.
[[nodiscard]] std::string tunnel_drop_in(const NewTunnel& tunnel);

/// A name for a tunnel in the policy, made from its name at Cloudflare: letters, digits, "-" and
/// "_". `taken` are the names that are in use. Pure.
[[nodiscard]] std::string policy_name_of(std::string_view name,
                                         const std::vector<std::string>& taken);

/// The rule that lets keyturnd restart exactly these units (names and globs), and its own extra
/// connectors: the rule that ships, with another pattern. Pure.
[[nodiscard]] std::string polkit_rule(const std::vector<std::string>& units);

}  // namespace keyturn
