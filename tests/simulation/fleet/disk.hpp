#pragma once

#include "delivery/token_store.hpp"
#include "fleet/memory.hpp"
#include "state/state_store.hpp"
#include "token/token.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::fleet_simulation {

/// What is on the disk of one host. A copy of it is a backup, or a clone. The tokens of this world
/// are no secrets.
struct Disk {
    std::string file;                           ///< The text of the token.
    Fingerprint holds;                          ///< Its fingerprint.
    std::map<std::string, std::string> staged;  ///< By rotation.
    std::vector<HistoryEntry> history;
    FleetMemories memory;
};

class Host;

/// The disk of a host as keyturnd uses it. Once keyturnd is dead, nothing reaches the disk any
/// more.
class DiskTokens final : public TokenStore {
  public:
    explicit DiskTokens(Host& host) : host_(host) {}

    std::string path(const std::string& tunnel_name) const override;
    Result<std::optional<Secret>> current(const std::string& tunnel_name) override;
    Result<void> check(const std::string& tunnel_name) override;
    Result<void> keep_pending(const std::string& tunnel_name, const PendingTokens& tokens) override;
    Result<std::optional<PendingTokens>> pending(const std::string& tunnel_name) override;
    Result<void> forget_pending(const std::string& tunnel_name) override;
    Result<void> stage(const std::string& tunnel_name, const std::string& rotation_id,
                       const Secret& token) override;
    Result<void> swap_in(const std::string& tunnel_name, const std::string& rotation_id) override;
    void sweep(const std::vector<std::string>& tunnel_names) override;

  private:
    Host& host_;
};

class DiskStates final : public StateStore {
  public:
    explicit DiskStates(Host& host) : host_(host) {}

    Result<std::optional<TunnelState>> load(const std::string& tunnel_name) override;
    Result<std::vector<std::string>> tunnels() override;
    Result<void> save(const std::string& tunnel_name, const TunnelState& state) override;
    Result<void> append_history(const std::string& tunnel_name, const HistoryEntry& entry) override;
    Result<std::vector<HistoryEntry>> history(const std::string& tunnel_name,
                                              std::size_t count) override;

  private:
    Host& host_;
};

class DiskMemory final : public FleetMemory {
  public:
    explicit DiskMemory(Host& host) : host_(host) {}

    Result<std::optional<FleetMemories>> load(const std::string& tunnel) override;
    Result<void> save(const std::string& tunnel, const FleetMemories& memories) override;

  private:
    Host& host_;
};

}  // namespace keyturn::fleet_simulation
