#pragma once

#include "doctor/facts.hpp"
#include "healthy_host.hpp"

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace keyturn {

/// One way to break a host.
struct Broken {
    std::string id;  ///< The only check that finds something.
    std::string how;
    std::function<void(HostFacts&)> breaks;
    std::string seen;    ///< Part of what it says.
    std::string remedy;  ///< Part of the command.
};

inline void PrintTo(const Broken& broken, std::ostream* out) {
    *out << broken.id << ": " << broken.how;
}

inline UnitSeen& unit_of(HostFacts& facts) {
    return facts.units.front();
}

inline TunnelSeen& tunnel_of(HostFacts& facts) {
    return facts.tunnels.front();
}

inline CredentialSeen& credential_of(HostFacts& facts) {
    return facts.credentials.front();
}

inline void verify_as(HostFacts& facts, ApiTokenVerdict verdict, const std::string& seen) {
    credential_of(facts).check->verdict = verdict;
    credential_of(facts).check->seen = seen;
}

// The ways, by what is broken.
[[nodiscard]] std::vector<Broken> host_is_broken();
[[nodiscard]] std::vector<Broken> keyturnd_is_broken();
[[nodiscard]] std::vector<Broken> polkit_is_broken();
[[nodiscard]] std::vector<Broken> network_is_broken();
[[nodiscard]] std::vector<Broken> api_is_broken();
[[nodiscard]] std::vector<Broken> tunnel_is_broken();
[[nodiscard]] std::vector<Broken> unit_is_broken();
[[nodiscard]] std::vector<Broken> service_is_broken();
[[nodiscard]] std::vector<Broken> unmanaged();
[[nodiscard]] std::vector<Broken> token_file_is_broken();
[[nodiscard]] std::vector<Broken> secret_is_exposed();

}  // namespace keyturn
