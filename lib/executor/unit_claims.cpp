#include "executor/unit_claims.hpp"

#include "policy/unit_pattern.hpp"

namespace keyturn {

void UnitClaims::take(const std::vector<TunnelPolicy>& tunnels) {
    names_.clear();
    globs_.clear();
    for (const TunnelPolicy& tunnel : tunnels) {
        for (const std::string& unit : tunnel.units) {
            if (is_glob(unit)) {
                globs_.emplace_back(unit, tunnel.name);
            } else {
                names_.emplace(unit, tunnel.name);
            }
        }
    }
}

std::optional<UnitClaims::Claim> UnitClaims::of_another(
    const std::string& tunnel, const std::string& id, const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
        const auto [begin, end] = names_.equal_range(name);
        for (auto claim = begin; claim != end; ++claim) {
            if (claim->second != tunnel) return Claim{claim->second, name};
        }
    }
    // systemd matches a glob only with the Id.
    for (const auto& [glob, other] : globs_) {
        if (other != tunnel && glob_matches(glob, id)) return Claim{other, glob};
    }
    return std::nullopt;
}

}  // namespace keyturn
