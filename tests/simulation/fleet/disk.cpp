#include "simulation/fleet/disk.hpp"

#include "simulation/fleet/host.hpp"

namespace keyturn::fleet_simulation {

namespace {

Error full() {
    return Error{Fault::storage, "the disk is full", {}};
}

}  // namespace

std::string DiskTokens::path(const std::string& tunnel_name) const {
    return "/var/lib/keyturn/tokens/" + tunnel_name;
}

Result<std::optional<Secret>> DiskTokens::current(const std::string&) {
    if (host_.disk.file.empty()) return std::optional<Secret>();
    return std::optional<Secret>(Secret::copy_of(host_.disk.file));
}

Result<void> DiskTokens::check(const std::string&) {
    return {};
}

Result<void> DiskTokens::keep_pending(const std::string&, const PendingTokens&) {
    host_.world().fail("a host of a fleet keeps tokens of its own");
    return {};
}

Result<std::optional<PendingTokens>> DiskTokens::pending(const std::string&) {
    return std::optional<PendingTokens>();
}

Result<void> DiskTokens::forget_pending(const std::string&) {
    return {};
}

Result<void> DiskTokens::stage(const std::string&, const std::string& rotation_id,
                               const Secret& token) {
    if (!host_.survives_until(Effect::token_file)) return {};
    if (host_.world().strikes(0.005, "disk full")) return full();
    host_.disk.staged.clear();
    host_.disk.staged[rotation_id] = std::string(token.reveal());
    return {};
}

Result<void> DiskTokens::swap_in(const std::string&, const std::string& rotation_id) {
    if (!host_.survives_until(Effect::token_file)) return {};
    const auto staged = host_.disk.staged.find(rotation_id);
    if (staged == host_.disk.staged.end()) return Error{Fault::missing, "nothing is staged", {}};
    host_.disk.file = std::move(staged->second);
    host_.disk.staged.erase(staged);
    const auto token = decode_token(host_.disk.file);
    const Fingerprint before =
        std::exchange(host_.disk.holds, token ? fingerprint_of(*token) : Fingerprint());
    host_.replaces_file(before, host_.disk.holds);
    host_.may_die_after(Effect::token_file);
    return {};
}

void DiskTokens::sweep(const std::vector<std::string>&) {}

Result<std::optional<TunnelState>> DiskStates::load(const std::string&) {
    return std::optional<TunnelState>();
}

Result<std::vector<std::string>> DiskStates::tunnels() {
    return std::vector<std::string>();
}

Result<void> DiskStates::save(const std::string&, const TunnelState&) {
    host_.world().fail("a host of a fleet keeps a state of its own");
    return {};
}

Result<void> DiskStates::append_history(const std::string&, const HistoryEntry& entry) {
    if (!host_.alive()) return {};
    std::vector<HistoryEntry>& entries = host_.disk.history;
    if (!entries.empty() && entries.back() == entry) return {};
    entries.push_back(entry);
    return {};
}

Result<std::vector<HistoryEntry>> DiskStates::history(const std::string&, std::size_t count) {
    const std::vector<HistoryEntry>& entries = host_.disk.history;
    const std::size_t first = entries.size() > count ? entries.size() - count : 0;
    return std::vector<HistoryEntry>(entries.begin() + static_cast<std::ptrdiff_t>(first),
                                     entries.end());
}

Result<std::optional<FleetMemories>> DiskMemory::load(const std::string&) {
    return std::optional<FleetMemories>(host_.disk.memory);
}

Result<void> DiskMemory::save(const std::string&, const FleetMemories& memories) {
    if (!host_.survives_until(Effect::memory)) return {};
    if (host_.world().strikes(0.001, "disk full")) return full();
    host_.disk.memory = memories;
    host_.may_die_after(Effect::memory);
    return {};
}

}  // namespace keyturn::fleet_simulation
