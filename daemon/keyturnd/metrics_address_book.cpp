#include "keyturnd/metrics_address_book.hpp"

#include "cloudflared/token_source.hpp"
#include "units/unit_manager.hpp"

#include <algorithm>
#include <utility>

namespace keyturn {

void MetricsAddressBook::take(const Policy& policy, const std::vector<std::string>& staying) {
    std::erase_if(addresses_, [&](const auto& entry) {
        return std::ranges::find(staying, entry.first) == staying.end();
    });
    for (const TunnelPolicy& tunnel : policy.tunnels) {
        addresses_[tunnel.name] = tunnel.metrics_addresses;
    }
}

Task<std::optional<std::string>> MetricsAddressBook::fixed(std::string unit) {
    const Result<UnitSettings> settings = co_await units_.settings(std::move(unit));
    std::optional<std::string> address;
    if (settings) address = metrics_address_of(*settings);
    co_return address;
}

std::optional<std::string> MetricsAddressBook::in_policy(const std::string& unit) const {
    for (const auto& [tunnel, addresses] : addresses_) {
        const auto found = addresses.find(unit);
        if (found != addresses.end()) return found->second;
    }
    return std::nullopt;
}

Task<std::optional<std::string>> MetricsAddressBook::published(std::string unit) {
    std::optional<std::string> address = in_policy(unit);
    const bool none =
        std::ranges::all_of(addresses_, [](const auto& entry) { return entry.second.empty(); });
    if (address || none) co_return address;
    const Result<UnitSettings> settings = co_await units_.settings(std::move(unit));
    if (!settings) co_return address;
    for (const std::string& name : settings->names) {
        if (!address) address = in_policy(name);
    }
    co_return address;
}

}  // namespace keyturn
