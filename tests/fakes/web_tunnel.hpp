#pragma once

#include "policy/policy.hpp"

#include <string>
#include <utility>
#include <vector>

// The tunnel that most tests rotate: its names are here and nowhere else.

namespace keyturn {

inline const std::string account_id = "699d98642c564d2e855e9661899b7252";
inline const std::string tunnel_id = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
inline const std::string other_tunnel_id = "00000000-0000-4000-8000-000000000001";

inline const std::string a = "cloudflared-web@1.service";
inline const std::string b = "cloudflared-web@2.service";
inline const std::string c = "cloudflared-web@3.service";
inline const std::string d = "cloudflared-web@4.service";
/// The extra connector that may help out during a rotation.
inline const std::string extra = "keyturn-surge@web.service";

/// Where our own connectors come from, and where they do not.
inline const std::string our_address = "192.0.2.1";
inline const std::string other_address = "198.51.100.7";

/// The policy of tunnel "web", with the default of every key that it does not name.
inline TunnelPolicy web_policy(std::vector<std::string> units = {a, b}) {
    TunnelPolicy policy;
    policy.name = "web";
    policy.account = account_id;
    policy.tunnel = tunnel_id;
    policy.units = std::move(units);
    return policy;
}

}  // namespace keyturn
