#pragma once

#include "rotation/record.hpp"
#include "state/state_store.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// The state of a tunnel that a fleet shares, as a `StateStore` in memory. What an agent saves here
/// goes into the shared object with the next change; only the history is on the disk of each host.
class FleetStates final : public StateStore {
  public:
    /// `history` is this host's own store. `saved` is called after each save.
    FleetStates(StateStore& history, std::function<void()> saved)
        : history_(history), saved_(std::move(saved)) {}

    /// What the object has; a new agent begins with it.
    void take(TunnelState state) { state_ = std::move(state); }
    [[nodiscard]] const TunnelState& state() const { return state_; }

    [[nodiscard]] Result<std::optional<TunnelState>> load(const std::string&) override {
        return std::optional<TunnelState>(state_);
    }
    [[nodiscard]] Result<std::vector<std::string>> tunnels() override {
        return std::vector<std::string>();
    }
    [[nodiscard]] Result<void> save(const std::string&, const TunnelState& state) override {
        state_ = state;
        saved_();
        return {};
    }
    /// The other hosts take the entry from the object.
    [[nodiscard]] Result<void> append_history(const std::string& tunnel_name,
                                              const HistoryEntry& entry) override {
        return history_.append_history(tunnel_name, entry);
    }
    [[nodiscard]] Result<std::vector<HistoryEntry>> history(const std::string& tunnel_name,
                                                            std::size_t count) override {
        return history_.history(tunnel_name, count);
    }

  private:
    StateStore& history_;
    std::function<void()> saved_;
    TunnelState state_;
};

}  // namespace keyturn
