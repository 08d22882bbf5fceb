#pragma once

#include "bus/bus.hpp"
#include "control/snapshot.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// The objects below /org/keyturn/Keyturn1/tunnel. They are created on demand, so they always match
/// the tunnels of the policy.
class TunnelObjects {
  public:
    TunnelObjects(std::function<std::vector<std::string>()> names, Snapshot& snapshot)
        : names_(std::move(names)), snapshot_(snapshot) {}

    /// Returns 0 or a negative errno.
    int install(sd_bus* bus);
    void forget() { slots_.clear(); }

    /// Emits PropertiesChanged with every property that can change. Does nothing for an unknown
    /// tunnel.
    void emit_changed(sd_bus* bus, const std::string& tunnel);

  private:
    static int find(sd_bus* bus, const char* path, const char* interface, void* self, void** found,
                    sd_bus_error* error);
    static int list(sd_bus* bus, const char* prefix, void* self, char*** nodes,
                    sd_bus_error* error);

    std::function<std::vector<std::string>()> names_;
    Snapshot& snapshot_;
    std::vector<Slot> slots_;
};

}  // namespace keyturn
